"""Each layout on each kind of screen: nothing spills over, and it can be read from the back of the hall."""

import base64
import json

import pytest
from playwright.sync_api import expect

from tests.browser import (
    NOTES_VIOLATIONS,
    PHONE,
    STAGE,
    ExampleServer,
    Shell,
    assert_policy_holds,
    keep_picture,
    key,
    posts_of_today,
    sample_posts,
    wait_until_live,
)
from tests.integration.test_remote_in_browser import SIGN_IN
from tests.wall.posts import picture

UPRIGHT = {"width": 1080, "height": 1920}
SCREENS = {"stage": STAGE, "upright": UPRIGHT, "phone": PHONE}
MORE_SCREENS = {"small": {"width": 1280, "height": 720}, "huge": {"width": 3840, "height": 2160}}
OLD_OR_SMALL = {"beamer": {"width": 1024, "height": 768}, "lying": {"width": 844, "height": 390}}
LAYOUTS = ["stream", "spotlight", "grid", "ticker"]
AFAR = 0.03  # of the screen's shorter side: the least height of a post's text on a stage
# Its texts are fitted before the next frame is drawn.
LAY = """async (layout) => {
    document.documentElement.dataset.layout = layout;
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
}"""
SHOWN = """() => {
    const end = Math.min(innerHeight, document.querySelector(".wall-posts").getBoundingClientRect().bottom);
    const isSeen = (card) => card.offsetHeight > 0 && card.getBoundingClientRect().top < end - 1;
    const cards = Array.from(document.querySelectorAll(".wall-card")).filter(isSeen);
    const texts = cards.map((card) => card.querySelector(".wall-text"));
    return {
        count: cards.length,
        spills: document.scrollingElement.scrollWidth > innerWidth,
        scrolls: document.scrollingElement.scrollHeight > innerHeight,
        least: Math.min(...texts.map((text) => parseFloat(getComputedStyle(text).fontSize))),
        over: texts.filter((text) => {
            const [inner, outer] = [text, text.parentElement].map((one) => one.getBoundingClientRect());
            return inner.bottom > outer.bottom + 1 || inner.top < outer.top - 1;
        }).length,
    };
}"""
SET = """
from realtime_wall.wall.stage.tables import Look
from realtime_wall.wall.models import Wall
look = {"layout": "spotlight", "accent": "#00ffaa", "left_out": ["face", "handle", "time", "badge"]}
Look.objects.update_or_create(wall=Wall.called("live"), defaults=look)
"""
LINK = {"url": "https://a.example/", "title": "The harbour " * 6, "description": "Tides " * 30, "picture": ""}
WITH = {"poll": ["A gull, and what it took"] * 4}, {"link": LINK}
# In the spotlight, posts of so many characters: whether all their words are seen.
WHOLE = """(sizes) => {
    document.documentElement.dataset.layout = "spotlight";
    const card = document.querySelector(".wall-current");
    card.querySelector(".wall-media")?.remove();
    const text = card.querySelector(".wall-text");
    return Object.entries(sizes).map(([length, count]) => {
        card.dataset.length = length;
        text.textContent = "They say it may go. ".repeat(count / 20);
        const [inner, outer] = [text, card].map((one) => one.getBoundingClientRect());
        return text.scrollHeight <= text.clientHeight && inner.bottom <= outer.bottom;
    });
}"""
# Of all posts, each on the stage once: whose text ends within a line, whose is not all seen, the least size.
CUT = """async () => {
    const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const found = { within: [], cut: [], least: 1000 };
    for (const { dataset } of Array.from(document.querySelectorAll(".wall-card"))) {
        wallOnStage.direct({ post: dataset.key, paused: true });
        await frame();
        const card = document.querySelector(".wall-current");
        const text = card.querySelector(".wall-text");
        const size = parseFloat(getComputedStyle(text).fontSize);
        const end = text.getBoundingClientRect().bottom;
        const words = document.createRange();
        words.selectNodeContents(text);
        const isWithin = ({ top, bottom }) => bottom > end + 0.15 * size && top < end - 0.25 * size;
        const isNone = text.clientHeight < size;
        if (isNone || Array.from(words.getClientRects()).some(isWithin)) found.within.push(text.textContent);
        if (text.scrollHeight > text.clientHeight + 0.1 * size) found.cut.push(text.textContent);
        if (!card.querySelector(".wall-media")) found.least = Math.min(found.least, size);
    }
    return found;
}"""
# Of what covers the posts: whether all of it is on the screen, and no word in two lines.
WHOLE_COVER = """async (selector) => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const node = document.querySelector(selector).firstChild;
    const found = [];
    for (const { index, 0: word } of node.data.matchAll(/[\\p{L}!]+/gu)) {
        const range = document.createRange();
        range.setStart(node, index);
        range.setEnd(node, index + word.length);
        const { top, bottom, left, right } = range.getBoundingClientRect();
        if (/\\w/.test(word) && range.getClientRects().length > 1) found.push(`in two: ${word}`);
        if (top < 0 || left < 0 || bottom > innerHeight || right > innerWidth) found.push(`outside: ${word}`);
    }
    return found;
}"""
# With a code for phones: how wide the list of posts is, how far down they go, where the code begins, and how
# many lines the hashtag has.
BESIDE_CODE = """() => {
    const box = (element) => element.getBoundingClientRect();
    const [list, code] = [".wall-posts", ".wall-code"].map((one) => box(document.querySelector(one)));
    const seen = Array.from(document.querySelectorAll(".wall-card"), box);
    const isSeen = ({ top, height }) => height && top < list.bottom - 1;
    const ends = seen.filter(isSeen).map(({ bottom }) => bottom);
    const hashtag = document.createRange();
    hashtag.selectNodeContents(document.querySelector(".wall-empty bdi"));
    return [list.width / innerWidth, Math.max(...ends), code.top, hashtag.getClientRects().length];
}"""
PUT_CODE = """() => {
    const code = Object.assign(document.createElement("p"), { className: "wall-code" });
    code.append(document.createElement("img"), "Post from your phone");
    document.querySelector(".wall").append(code);
}"""
# Of the post on the stage, as if it were of that network: whether its face, @name, time and badge are shown.
PARTS = """([layout, source]) => {
    document.documentElement.dataset.layout = layout;
    const card = document.querySelector(".wall-current");
    const before = card.dataset.source;
    card.dataset.source = source;
    const parts = ["avatar", "handle", "when", "source"].map((name) => card.querySelector(`.wall-${name}`));
    const shown = parts.map((part) => part.offsetHeight > 0);
    card.dataset.source = before;
    return shown;
}"""
SLIDE = """
from realtime_wall.wall.stage.tables import Slide
from realtime_wall.wall.models import Wall
from realtime_wall.wall.stage.director import direct
wall = Wall.called("live")
words = "Thank you, harbour"
slide = Slide.objects.create(wall=wall, name="thanks", text=words, seconds=2, every_minutes=60)
direct(wall, {"slide": slide.pk})
"""
# A second of a film, as base64.
RECORD = """() => new Promise((resolve) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 160, height: 90 });
    const pencil = canvas.getContext("2d");
    const recorder = new MediaRecorder(canvas.captureStream(10), { mimeType: "video/webm" });
    const parts = [];
    recorder.ondataavailable = ({ data }) => parts.push(data);
    recorder.onstop = async () => {
        const bytes = new Uint8Array(await new Blob(parts).arrayBuffer());
        resolve(btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")));
    };
    recorder.start();
    let drawn = 0;
    const timer = setInterval(() => {
        pencil.fillStyle = `hsl(${36 * drawn}, 90%, 50%)`;
        pencil.fillRect(0, 0, 160, 90);
        drawn += 1;
        if (drawn > 10) recorder.stop(clearInterval(timer));
    }, 50);
})"""
POSTER = "/static/realtime_wall_wall/sample/gull.svg"

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def server(migrated_wall):
    with ExampleServer("example_wall", migrated_wall, {"SOURCES": []}) as running:
        shell = Shell(running)
        shell.store(*sample_posts(60, 99, seconds=40))
        shell.store(*posts_of_today(5), wall="live")
        running.shell = shell
        yield running
        shell.close()


def test_each_layout_fits_every_screen(server, visitors):
    query = "title=SaltmarshPy%202026&hashtag=%23SaltmarshPy&layout=spotlight"
    page = visitors.tab(f"{server.url}?screen=A&{query}", script=NOTES_VIOLATIONS)
    wait_until_live(page)
    with_pictures = [post for post in sample_posts(60, 99, seconds=40) if post["media"]]
    page.evaluate("(key) => wallOnStage.direct({ post: key, paused: true })", key(with_pictures[-1]))
    page.locator(".wall-current img").first.evaluate("(picture) => picture.decode()")

    for name, size in (SCREENS | MORE_SCREENS).items():
        page.set_viewport_size(size)
        for layout in LAYOUTS:
            page.evaluate(LAY, layout)
            keep_pictures(page, layout, name)
            check(page.evaluate(SHOWN), layout, name, size)
    for size in (PHONE, UPRIGHT):
        page.set_viewport_size(size)
        assert page.evaluate(WHOLE, {"short": 60, "medium": 180, "long": 260}) == [True] * 3, size
    assert page.evaluate("violations") == []


def test_a_text_is_seen_whole_where_it_can_be_read_so_and_ends_behind_a_line_elsewhere(server, visitors):
    doors = next(post for post in sample_posts(0, 30, seconds=1) if "Doors are open" in post["text"])
    endless = posts_of_today(1, text="They say it may go on for ever. " * 150)
    plain = [post for post in sample_posts(60, 80, seconds=1) if not post["media"]]
    asked, linked = ({"text": "Which of these would you say? " * 3, **more} for more in WITH)
    server.shell.store(
        *plain[:12], doors, *posts_of_today(1, **asked), *posts_of_today(1, **linked), *endless, wall="fit"
    )
    page = visitors.tab(f"{server.url}fit/?title=SaltmarshPy%202026&hashtag=%23SaltmarshPy")
    wait_until_live(page)

    for name, size in (SCREENS | MORE_SCREENS | OLD_OR_SMALL).items():
        page.set_viewport_size(size)
        for layout in LAYOUTS[1:]:
            page.evaluate(LAY, layout)
            found = page.evaluate(CUT)
            case = (layout, name, found)
            assert found["within"] == [], case
            assert endless[0]["text"] in found["cut"], case
            beside_its_picture = [doors["text"]] if layout == "grid" else []
            assert set(found["cut"]) <= {endless[0]["text"], *beside_its_picture}, case
            assert found["least"] >= max(16, AFAR * min(size.values())), case


@pytest.mark.parametrize(
    "words",
    ["Donaudampfschifffahrtsgesellschaft", "まもなく始まります " * 24, "Thank you all for coming! " * 10],
)
def test_a_message_and_a_slide_are_seen_whole(server, visitors, words):
    page = visitors.tab(f"{server.url}?screen=A&layout=stream")
    wait_until_live(page)
    page.evaluate(
        """(text) => {
            const message = document.querySelector(".wall-message");
            Object.assign(message, { textContent: text, hidden: false });
            message.dataset.length = text.length > 60 ? "long" : "short";
            document.querySelector(".wall-stage").append(WallSlides.draw({ name: "A", text }));
        }""",
        words.strip(),
    )
    for name, size in (SCREENS | MORE_SCREENS).items():
        page.set_viewport_size(size)
        for selector in (".wall-message", ".wall-slide p"):
            assert page.evaluate(WHOLE_COVER, selector) == [], (selector, name)


def test_a_code_for_phones_leaves_an_upright_screen_to_the_posts(server, visitors):
    page = visitors.tab(f"{server.url}?screen=A&hashtag=%23AVeryLongHashtagOfAHarbour", viewport=UPRIGHT)
    wait_until_live(page)
    page.evaluate(PUT_CODE)

    for layout in LAYOUTS:
        page.evaluate(LAY, layout)
        width, end, code, _ = page.evaluate(BESIDE_CODE)
        assert width > 0.9, layout
        assert layout not in ("spotlight", "grid") or end <= code, layout
    assert page.evaluate(BESIDE_CODE)[-1] == 1  # of a ticker, which has it above its band


def keep_pictures(page, layout, name):
    """In the light as well, of the stage."""
    for theme in ("light", "dark") if name in SCREENS else ():
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        if theme == "dark" or name == "stage":
            keep_picture(page, f"layouts/{layout}-{name}-{theme}.png")


def check(found, layout, name, size):
    single = layout in ("spotlight", "ticker")
    assert not found["spills"] and not found["over"], (layout, name, found)
    assert found["count"] == 1 if single else found["count"] >= 3, (layout, name, found)
    if name != "phone":
        share = 0.85 if layout == "grid" else 1  # beside a picture
        assert found["least"] >= share * AFAR * min(size.values()), (layout, name, found)
        assert layout == "stream" or not found["scrolls"], (layout, name, found)


def test_a_look_and_a_slide_reach_open_pages(server, visitors):
    page = visitors.tab(f"{server.url}live/?screen=A&title=Mine", script=NOTES_VIOLATIONS)
    wait_until_live(page)
    run(server, SET)

    expect(page.locator("html")).to_have_attribute("data-layout", "spotlight")
    expect(page.locator(".wall-card:visible")).to_have_count(1)
    page.wait_for_function(
        "() => getComputedStyle(document.documentElement).getPropertyValue('--wall-accent') === '#00ffaa'"
    )
    assert page.locator(".wall-title").inner_text() == "Mine"  # as its address asks for
    for layout in ("grid", "ticker", "spotlight"):
        assert all(page.evaluate(PARTS, [layout, "x"])), layout  # X wants to see them of its posts
        assert not any(page.evaluate(PARTS, [layout, "mastodon"])), layout

    server.shell.publish("wall_sources", {"down": True}, wall="live")
    expect(page.locator(".wall-status-word")).to_have_text("earlier posts")
    server.shell.publish("wall_sources", {"down": False}, wall="live")
    wait_until_live(page)

    run(server, SLIDE)
    expect(page.locator("[data-key='slide:thanks']")).to_have_text("Thank you, harbour")
    keep_picture(page, "layouts/slide.png")
    expect(page.locator(".wall-slide")).to_have_count(0)
    assert_policy_holds(visitors, page)


def test_the_film_of_the_post_that_has_the_stage_plays_and_a_broken_one_leaves_its_picture(server, visitors):
    film, broken = (f"https://films.example/{name}.webm" for name in ("film", "broken"))
    good, bad = (picture(POSTER, "gif", film=address) for address in (film, broken))
    (plain,), (lost,), (shown,) = (
        posts_of_today(1, ago=3),
        posts_of_today(1, ago=2, media=[bad]),
        posts_of_today(1, ago=1, media=[good]),
    )
    server.shell.store(plain, lost, shown, wall="films")
    page = visitors.tab(script=NOTES_VIOLATIONS)
    body = base64.b64decode(page.evaluate(RECORD))
    page.route(film, lambda route: route.fulfill(body=body, content_type="video/webm"))
    page.goto(f"{server.url}films/?screen=A&layout=spotlight&seconds=3600")
    wait_until_live(page)
    box, video = page.locator(".wall-current .wall-media"), page.locator("video")

    def put(post):
        """On the stage, where it is for an hour: what comes round follows from the clock."""
        page.evaluate("(post) => wallOnStage.direct({ post, at: wallOnStage.now() })", key(post))

    def plays():
        page.wait_for_function("() => document.querySelector('video')?.currentTime > 0")
        expect(box).to_have_attribute("data-playing", "")
        return video.evaluate("(film) => film.muted && film.loop && !film.paused")

    put(shown)
    assert plays()
    assert video.evaluate("(film) => getComputedStyle(film).objectFit") == "contain"  # X's are shown whole
    page.evaluate("wallOnStage.direct({ paused: true })")
    assert video.evaluate("(film) => film.paused")
    page.evaluate("wallOnStage.direct({ paused: false })")
    assert plays()
    page.emulate_media(reduced_motion="reduce")
    expect(video).to_have_count(0)
    page.emulate_media(reduced_motion="no-preference")
    assert plays()

    put(plain)
    expect(video).to_have_count(0)
    with page.expect_event("requestfailed", lambda request: request.url == broken):
        put(lost)
    expect(video).to_have_count(0)
    assert box.locator("img").evaluate("(picture) => picture.naturalWidth > 0")
    assert page.evaluate("violations") == []


def test_the_admin_shows_what_is_about_to_be_saved(server, visitors):
    done = server.manage(
        "shell", "--verbosity", "0", "-c", SIGN_IN.replace("create_user", "create_superuser")
    )
    assert done.returncode == 0, done.stderr
    page = visitors.tab(viewport={"width": 1280, "height": 900}, script=NOTES_VIOLATIONS)
    session = {"name": "sessionid", "value": json.loads(done.stdout), "url": server.url}
    page.context.add_cookies([session])
    page.goto(f"{server.url}admin/realtime_wall_wall/wall/")
    page.get_by_role("link", name="main", exact=True).click()
    preview = page.frame_locator(".wall-look-stage iframe")
    picture = page.locator("#branding, #site-name").first.screenshot()
    logo = {"name": "logo.png", "mimeType": "image/png", "buffer": picture}
    expect(preview.locator("html")).to_have_attribute("data-layout", "stream")

    page.select_option("[name=look-0-layout]", "grid")
    for name, colour in {"bg": "#002244", "card": "#003366", "accent": "#33ddff"}.items():
        page.fill(f"[name=look-0-{name}]", colour)
    expect(preview.locator("html")).to_have_attribute("data-layout", "grid")
    expect(page.locator(".wall-look-contrasts")).to_contain_text("accent/card: 7.76")
    preview.locator(".wall-current img").first.evaluate("(picture) => picture.decode()")
    page.locator(".wall-look-preview").scroll_into_view_if_needed()
    keep_picture(page, "look-admin.png")
    page.fill("[name=look-0-accent]", "#777777")
    expect(page.locator(".wall-look-contrasts .errornote")).to_have_text("accent/card: 2.81 < 4.5")

    page.set_input_files("[name=look-0-upload]", files=logo)
    expect(preview.locator("canvas.wall-logo")).to_be_visible()
    page.select_option("[name=look-0-layout]", "ticker")
    expect(
        preview.locator("[data-layout=ticker] canvas.wall-logo")
    ).to_be_visible()  # of the new page as well
    page.set_input_files("[name=look-0-upload]", files=[])
    expect(preview.locator("canvas.wall-logo")).to_have_count(0)

    page.goto(f"{server.url}admin/realtime_wall_wall/slide/add/")
    page.select_option("[name=wall]", label="main")
    page.fill("[name=text]", "Thank you, harbour")
    page.set_input_files("[name=upload]", files=logo)
    expect(preview.locator(".wall-slide p")).to_have_text("Thank you, harbour")
    assert preview.locator(".wall-slide canvas").bounding_box()["height"] > 50
    page.fill("[name=text]", "")
    page.set_input_files(
        "[name=upload]", files={"name": "no.png", "mimeType": "image/png", "buffer": b"none"}
    )
    expect(preview.locator(".wall-slide")).to_have_count(0)
    assert preview.locator("html").evaluate("violations") == []


def run(server, code):
    done = server.manage("shell", "--verbosity", "0", "-c", code)
    assert done.returncode == 0, done.stderr
