from django.db import migrations


def open_lobby(apps, schema_editor):
    apps.get_model("chat", "ChatRoom").objects.create(name="Lobby", slug="lobby")


class Migration(migrations.Migration):
    dependencies = [("chat", "0001_initial")]

    operations = [migrations.RunPython(open_lobby, migrations.RunPython.noop)]
