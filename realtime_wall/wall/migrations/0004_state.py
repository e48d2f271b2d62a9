from typing import Any

from django.db import migrations, models

WITHDRAWN = 2**63 - 1
STATES = [("waiting", "waiting"), ("shown", "shown"), ("hidden", "hidden"), ("taken_back", "taken back")]


def hidden_to_state(apps: Any, schema_editor: Any) -> None:
    tweets = apps.get_model("realtime_wall_wall", "Tweet").objects.using(schema_editor.connection.alias)
    tweets.update(publications=1)
    tweets.filter(hidden=True).update(state="hidden")
    tweets.filter(version=WITHDRAWN).update(state="taken_back")


def state_to_hidden(apps: Any, schema_editor: Any) -> None:
    tweets = apps.get_model("realtime_wall_wall", "Tweet").objects.using(schema_editor.connection.alias)
    tweets.exclude(state="shown").update(hidden=True)


class Migration(migrations.Migration):
    dependencies = [
        ("realtime_wall_wall", "0003_source_problem"),
    ]

    operations = [
        migrations.AddField(
            "tweet", "state",
            models.CharField(choices=STATES, default="shown", max_length=16, verbose_name="state"),
        ),
        migrations.AddField("tweet", "publications", models.PositiveSmallIntegerField(default=0, editable=False)),
        migrations.RunPython(hidden_to_state, state_to_hidden),
    ]
