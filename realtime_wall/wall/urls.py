"""``path("", include("realtime_wall.wall.urls"))`` gives a site its walls."""

from django.urls import path

from realtime_wall.wall.embedding import embed_views
from realtime_wall.wall.export import export_views
from realtime_wall.wall.pages import (
    archive_views,
    desk_views,
    post_views,
    remote_views,
    report_views,
    screen_views,
    search_views,
    wall_views,
)
from realtime_wall.wall.programs import api_views
from realtime_wall.wall.sources.webhook import hook
from realtime_wall.wall.world_map import map_views

app_name = "realtime_wall_wall"

# Of the main wall, these stand before every slug: no wall can have the first part of one as its name.
urlpatterns = [
    path("", wall_views.wall_page, name="main"),
    path("worker.js", wall_views.worker, name="worker"),
    path("look.css", wall_views.look_style, name="main-look-style"),
    path("look.json", wall_views.look_contrast, name="main-look-contrast"),
    path("posts.json", wall_views.posts, name="main-posts"),
    path("hook/", hook, name="main-hook"),
    path("api/posts/", archive_views.api_posts, name="main-api-posts"),
    path("api/desk/posts/", api_views.list_posts, name="main-api-desk-posts"),
    path("api/desk/act/", api_views.act, name="main-api-desk-act"),
    path("archive/", archive_views.archive_page, name="main-archive"),
    path("map/", map_views.map_page, name="main-map"),
    path("report/", report_views.report_page, name="main-report"),
    # What visitors search are the posts of the main wall.
    path("search/", search_views.search_page, name="main-search"),
    path("search/embed/<str:post_id>/", search_views.embed, name="main-embed"),
    path("desk/", desk_views.desk_page, name="main-desk"),
    path("desk/posts/", desk_views.desk_posts, name="main-desk-posts"),
    path("desk/screens/", screen_views.desk_screens, name="main-desk-screens"),
    path("desk/displays.csv", export_views.displays_csv, name="main-displays"),
    path("desk/posts.csv", export_views.posts_csv, name="main-posts-csv"),
    path("desk/posts.json", export_views.posts_json, name="main-posts-json"),
    path("embed/", embed_views.embedded_page, name="main-embedded"),
    path("embed.js", embed_views.script, name="embed-script"),
    path("screens/", screen_views.report, name="main-screens"),
    path("desk/act/", desk_views.desk_act, name="main-desk-act"),
    path("remote/", remote_views.remote_page, name="main-remote"),
    path("remote/act/", remote_views.remote_act, name="main-remote-act"),
    path("post/", post_views.post_page, name="main-post"),
    path("post/code.svg", post_views.code, name="main-code"),
    path("picture/<slug:post_id>.jpg", post_views.picture, name="picture"),
    path("picture/stage/<slug:name>.webp", wall_views.stage_picture, name="stage-picture"),
    path("<slug:slug>/post/", post_views.post_page, name="post"),
    path("<slug:slug>/post/code.svg", post_views.code, name="code"),
    path("sign-in/", desk_views.sign_in, name="sign-in"),
    path("sign-out/", desk_views.sign_out, name="sign-out"),
    path("<slug:slug>/desk/", desk_views.desk_page, name="desk"),
    path("<slug:slug>/desk/posts/", desk_views.desk_posts, name="desk-posts"),
    path("<slug:slug>/desk/screens/", screen_views.desk_screens, name="desk-screens"),
    path("<slug:slug>/desk/displays.csv", export_views.displays_csv, name="displays"),
    path("<slug:slug>/desk/posts.csv", export_views.posts_csv, name="posts-csv"),
    path("<slug:slug>/desk/posts.json", export_views.posts_json, name="posts-json"),
    path("<slug:slug>/embed/", embed_views.embedded_page, name="embedded"),
    path("<slug:slug>/screens/", screen_views.report, name="screens"),
    path("<slug:slug>/desk/act/", desk_views.desk_act, name="desk-act"),
    path("<slug:slug>/remote/", remote_views.remote_page, name="remote"),
    path("<slug:slug>/remote/act/", remote_views.remote_act, name="remote-act"),
    path("<slug:slug>/hook/", hook, name="hook"),
    path("<slug:slug>/", wall_views.wall_page, name="wall"),
    path("<slug:slug>/look.css", wall_views.look_style, name="look-style"),
    path("<slug:slug>/look.json", wall_views.look_contrast, name="look-contrast"),
    path("<slug:slug>/posts.json", wall_views.posts, name="posts"),
    path("<slug:slug>/api/posts/", archive_views.api_posts, name="api-posts"),
    path("<slug:slug>/api/desk/posts/", api_views.list_posts, name="api-desk-posts"),
    path("<slug:slug>/api/desk/act/", api_views.act, name="api-desk-act"),
    path("<slug:slug>/archive/", archive_views.archive_page, name="archive"),
    path("<slug:slug>/map/", map_views.map_page, name="map"),
    path("<slug:slug>/report/", report_views.report_page, name="report"),
]


def taken_names() -> frozenset[str]:
    """What a wall cannot be called, because another page is there."""
    first_parts = {str(pattern.pattern).split("/")[0] for pattern in urlpatterns}
    return frozenset(part for part in first_parts if part and "<" not in part)
