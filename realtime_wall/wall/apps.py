"""The Django app: its tables, its checks, and its feed, which lives as long as the server."""

from typing import ClassVar

from django.apps import AppConfig
from django.core import checks
from django.db.models.signals import m2m_changed, post_delete, post_save

from realtime_wall import signals


class WallConfig(AppConfig):
    name = "realtime_wall.wall"
    label = "realtime_wall_wall"
    verbose_name = "Tweet wall"
    default_auto_field = "django.db.models.BigAutoField"
    # What moderators hear is for them alone, on every transport.
    channel_rules: ClassVar = {
        "wall-desk.*": {"READ": "realtime_wall.wall.moderation.desk_channel.may_listen", "WRITE": False}
    }

    def ready(self) -> None:
        # Here and not above: these come to the models, which can be imported only now.
        from realtime_wall.cluster import run_on_leader
        from realtime_wall.wall import log_file, options
        from realtime_wall.wall.checks import check_options, check_slugs
        from realtime_wall.wall.feed.startup import sources_saved, start_feed, stop_feed
        from realtime_wall.wall.models import Wall, WallSource
        from realtime_wall.wall.moderation.delay_line import DelayLine
        from realtime_wall.wall.moderation.rights import moderators_changed
        from realtime_wall.wall.programs.webhook_sender import WebhookSender
        from realtime_wall.wall.stage.look_changes import look_saved, slide_saved
        from realtime_wall.wall.stage.tables import Look, Slide

        chosen = options.current()
        if chosen.visitors:
            self._connect_live_search()
        if chosen.logfile:
            log_file.write_to(chosen.logfile)
        checks.register(check_options)
        checks.register(check_slugs, checks.Tags.database)
        signals.server_started.connect(start_feed, weak=False, dispatch_uid="realtime_wall.wall")
        for task in (DelayLine, WebhookSender):
            run_on_leader(task)
        signals.server_stopping.connect(stop_feed, weak=False, dispatch_uid="realtime_wall.wall")
        for named in (Wall.moderators.through, Wall.moderator_groups.through):
            m2m_changed.connect(moderators_changed, sender=named, dispatch_uid="realtime_wall.wall")
        for dressed in (Wall, Look):
            post_save.connect(look_saved, sender=dressed, dispatch_uid="realtime_wall.wall.look")
        for saved in (post_save, post_delete):
            saved.connect(slide_saved, sender=Slide, dispatch_uid="realtime_wall.wall.slides")
        for model in (Wall, WallSource):
            for saved in (post_save, post_delete):
                saved.connect(sources_saved, sender=model, dispatch_uid="realtime_wall.wall")

    def _connect_live_search(self) -> None:
        from realtime_wall.wall.live_search import search_cluster, search_subscriptions

        by_name = signals.socket_client_event_by_type
        for signal, receiver in (
            (signals.server_started, search_subscriptions.start),
            (signals.server_started, search_cluster.start),
            (signals.server_stopping, search_cluster.stop),
            (signals.server_stopping, search_subscriptions.stop),
            (by_name["listen"], search_subscriptions.listen),
            (by_name["stop"], search_subscriptions.leave),
            (signals.socket_disconnected, search_subscriptions.leave),
        ):
            signal.connect(receiver, weak=False, dispatch_uid=("realtime_wall.wall", receiver))
