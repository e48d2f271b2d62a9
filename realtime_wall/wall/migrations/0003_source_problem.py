from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("realtime_wall_wall", "0002_sources_and_versions")]

    operations = [
        migrations.RenameField("sourceposition", "trouble", "problem"),
        migrations.AlterField(
            "sourceposition", "problem", models.CharField(blank=True, max_length=500, verbose_name="problem")
        ),
    ]
