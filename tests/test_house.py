"""The rooms of the package: how large a folder, a file and a function may be, and where each one's test is.

docs/decisions/0023 says why. Each list of exceptions has reasons, and is as long as it has to be.
"""

from collections import Counter, defaultdict
from pathlib import Path

from tests.package_source import PACKAGE, PATHS, read

TESTS = Path(__file__).parent
FILES = [path for path in PATHS if "migrations" not in path.parts]
MODULES = [path for path in FILES if path.name != "__init__.py"]

ROOT, FOLDER, FILE, FUNCTION, CRUMB = 15, 16, 350, 50, 30

DJANGO = "Django looks for it by this name in each app"
TYPED = "its name is what users type, in a template or on the command line"
SAME_NAME = {
    "admin": DJANGO,
    "models": DJANGO,
    "apps": DJANGO,
    "checks": DJANGO,
    "urls": DJANGO,
    "realtime": TYPED,
    "socketio": TYPED,
    "post": TYPED,
}
# Two classes of one name: a traceback, or a search, finds both.
SAME_CLASS = {
    "Command": DJANGO,
    "Node": "the protocol that floor 4 asks for, and what it is",
    "Listener": "the protocol that floor 4 asks for, and what it is",
    "Source": "of events for user code, and of posts for the wall",
    "Search": "in the archive, and at X: rooms apart",
    "Publisher": "of a node, and of the wall",
    "Author": "of a post, and of an X list's member",
    "Outage": "of Redis, and of the database",
    "Binary": "a message's data, and a WebSocket frame",
}
# Files of less than 30 lines that stand alone nevertheless.
SMALL = {
    "monitor/apps.py": DJANGO,
    "tracing/apps.py": DJANGO,
    "monitor/models.py": DJANGO,
    "answers.py": "a public import path",
    "async_functions.py": "floor 0, for every floor above",
    "apps.py": DJANGO,
    "urls.py": DJANGO,
    "outbox/admin.py": DJANGO,
    "outbox/apps.py": DJANGO,
    "outbox/writer.py": "imported where its app may not be installed, and has no model",
    "outbox/models.py": DJANGO,
    "brokers/local/peer_credentials.py": "asked at each of the Unix sockets",
    "wall/untrusted_json.py": "read on four roads",
    "views/visitor_limits.py": "asked in each kind of handshake",
    "brokers/node_id.py": "asked on three floors",
    "control/message_dict.py": "what a shell and a node write alike",
    "protocol/http_stream.py": "bytes of their own, for three transports",
    "server/http/proxy_headers.py": "noted by the HTTP server, asked by a view",
    "templatetags/socketio.py": TYPED,
    "templatetags/socketio_tags.py": TYPED,
    "wall/moderation/shipped_words.py": "words that the admin adds, and no post is compared with",
    "wall/phone_posts/phone_limits.py": "counted in a cache, and not in what is posted",
    "wall/pages/card_list.py": "cards, as three pages and the API want them",
    "wall/pages/script_config.py": "what the wall's scripts are given, by two pages",
    "wall/changes/change_table.py": "imported by models.py, which its user imports",
    "wall/write_transaction.py": "what the feed and the moderators both write in",
    "wall/stage/source_problems.py": "asked for by the wall's pages, and by its moderators'",
    "wall/templatetags/twitsocket_tags.py": TYPED,
}

# Modules, or all modules of a folder, that have no test file at the mirrored place, and the suite that covers
# them: it runs them as they are used.
COVERED_BY = {
    "apps.py": "integration/test_package.py",
    "channel_urls.py": "integration/test_channels_over_http.py",
    "errors.py": "test_public_api.py",
    "urls.py": "views/test_websocket.py",
    "auth/authorize_hook.py": "views/test_websocket.py",
    "brokers/": "brokers/test_contract.py",
    "brokers/local/": "brokers/test_contract.py",
    "brokers/redis/": "brokers/redis/test_redis_link.py",
    "channels/history.py": "channels/test_log.py",
    "control/": "control/test_control.py",
    "node/fan_out/subscriber.py": "node/fan_out/test_fan_out.py",
    "node/introspection/listings.py": "test_cluster.py",
    "management/doctor/": "management/doctor/test_examination.py",
    "monitor/": "monitor/test_admin_page.py",
    "node/introspection/socket_counts.py": "test_cluster.py",
    "socketio_admin/": "socketio_admin/test_admin_namespace.py",
    "node/publisher.py": "node/test_node.py",
    "outbox/": "outbox/test_relay.py",
    "presence/identity.py": "presence/test_tracker.py",
    "protocol/websocket/frame_writer.py": "protocol/websocket/test_frames.py",
    "protocol/attachments.py": "protocol/test_socketio.py",
    "protocol/json_checks.py": "protocol/test_json_input.py",
    "transports/socketio/msgpack_format.py": "transports/socketio/test_packet_format.py",
    "server/link_factory.py": "server/test_run.py",
    "server/run_patched.py": "server/test_monkey_patch.py",
    "server/http/": "server/http/test_handler.py",
    "server/workers/": "server/workers/test_supervisor.py",
    "sockets/interfaces.py": "sockets/test_socket.py",
    "sockets/delivery/overflow_queue.py": "sockets/delivery/test_backlog.py",
    "sockets/dispatch/receiver_figures.py": "node/introspection/test_metrics.py",
    "sockets/recovery/": "node/test_session_migration.py",
    "templatetags/socketio.py": "templatetags/test_socketio_tags.py",
    "testing/": "testing/test_site.py",
    "tracing/": "tracing/test_spans.py",
    "typed_events/": "typed_events/test_declared.py",
    "transports/engineio/carrier.py": "transports/engineio/test_session.py",
    "transports/engineio/message_handler.py": "transports/engineio/test_session.py",
    "transports/one_way/formats.py": "transports/one_way/test_listener.py",
    "transports/socketio/recovery.py": "transports/socketio/test_handshake.py",
    "transports/websocket/raw_websocket.py": "views/test_raw_endpoint.py",
    "views/channels/": "integration/test_channels_over_http.py",
    "wall/apps.py": "wall/test_page.py",
    "wall/displays/": "wall/displays/test_screen_report.py",
    "wall/embedding/": "wall/embedding/test_allowed_sites.py",
    "wall/export/": "wall/export/test_post_rows.py",
    "wall/urls.py": "wall/test_page.py",
    "wall/feed/": "wall/feed/test_feed.py",
    "wall/management/commands/lister.py": "wall/test_lister_command.py",
    "wall/management/commands/post.py": "wall/test_post_command.py",
    "wall/management/commands/top_tweets.py": "wall/test_top_tweets_command.py",
    "wall/moderation/shipped_words.py": "wall/test_admin.py",
    "wall/moderation/admin_pages.py": "wall/test_admin.py",
    "wall/programs/program_pages.py": "wall/test_admin.py",
    "wall/programs/program_token.py": "wall/programs/test_api_views.py",
    "wall/programs/program_tables.py": "wall/programs/test_webhook_sender.py",
    "wall/programs/webhook_queue.py": "wall/programs/test_webhook_sender.py",
    "wall/programs/webhook_request.py": "wall/programs/test_webhook_sender.py",
    "wall/management/commands/api_token.py": "wall/programs/test_api_views.py",
    "wall/changes/": "wall/pages/test_desk_views.py",
    "wall/moderation/desk_acts.py": "wall/pages/test_desk_views.py",
    "wall/moderation/desk_words.py": "wall/pages/test_desk_views.py",
    "wall/moderation/pinned_post.py": "wall/pages/test_desk_views.py",
    "wall/moderation/screens.py": "wall/pages/test_desk_views.py",
    "wall/moderation/folding.py": "wall/moderation/test_admission.py",
    "wall/moderation/author_quota.py": "wall/moderation/test_admission.py",
    "wall/moderation/open_pages.py": "wall/moderation/test_decisions.py",
    "wall/moderation/desk_channel.py": "wall/moderation/test_rights.py",
    "wall/pages/": "wall/test_page.py",
    "wall/phone_posts/": "wall/pages/test_post_views.py",
    "wall/queries/desk.py": "wall/pages/test_desk_views.py",
    "wall/sources/source.py": "wall/sources/contract.py",
    "wall/sources/web_socket.py": "wall/sources/test_bluesky.py",
    "wall/sources/x/http_adapter.py": "wall/sources/x/test_stream.py",
    "wall/sources/x/list_timeline.py": "wall/test_lister_command.py",
    "wall/stage/admin_forms.py": "wall/stage/test_look.py",
    "wall/stage/look_changes.py": "wall/stage/test_look.py",
    "wall/stage/slides.py": "wall/stage/test_look.py",
    "wall/stage/tables.py": "wall/stage/test_director.py",
    "wall/templatetags/": "wall/test_tags.py",
}


def place(path):
    return path.relative_to(PACKAGE).as_posix()


def test_the_root_has_few_files():
    assert len(list(PACKAGE.glob("*.py"))) <= ROOT


def test_a_folder_has_few_files():
    counts = Counter(path.parent for path in FILES)

    assert not {place(folder): count for folder, count in counts.items() if count > FOLDER}


def test_two_modules_have_one_name_only_for_a_reason():
    named = defaultdict(list)
    for path in MODULES:
        named[path.stem].append(place(path))
    doubled = {name: places for name, places in named.items() if len(places) > 1}

    assert not {name: places for name, places in doubled.items() if name not in SAME_NAME}
    assert doubled.keys() == SAME_NAME.keys(), "a reason that is no longer needed"


def test_two_classes_have_one_name_only_for_a_reason():
    counts = Counter(name for path in FILES for name in read(path).classes)

    assert {name for name, count in counts.items() if count > 1} <= SAME_CLASS.keys()


# Of all files at once: a test for each would take longer to be made and reported than it looks.
def test_a_file_is_read_in_one_go():
    assert {place(path): read(path).lines for path in FILES if read(path).lines > FILE} == {}


def test_a_function_fits_on_a_screen():
    long = [
        f"{place(path)}: {name} has {lines} lines"
        for path in FILES
        for name, lines in read(path).functions
        if lines > FUNCTION
    ]

    assert long == []


def test_a_module_is_more_than_a_crumb_or_says_why():
    crumbs = {place(path) for path in MODULES if read(path).lines < CRUMB}

    assert crumbs <= SMALL.keys()


def test_a_module_has_its_test_at_the_mirrored_place_or_a_suite_that_covers_it():
    def is_covered(path):
        mirrored = TESTS / path.relative_to(PACKAGE).with_name(f"test_{path.name}")
        return mirrored.exists() or place(path) in COVERED_BY or f"{place(path.parent)}/" in COVERED_BY

    assert [place(path) for path in MODULES if not is_covered(path)] == []


def test_what_a_suite_covers_is_there_and_the_suite_is():
    assert [covered for covered in COVERED_BY if not (PACKAGE / covered).exists()] == []
    assert [suite for suite in COVERED_BY.values() if not (TESTS / suite).exists()] == []
