"""The example chat between people with a browser each, under Socket.IO's own client."""

import re
import shutil
import signal
import subprocess

import pytest
from playwright.sync_api import expect

from tests.browser import NOTES_VIOLATIONS, PHONE, ExampleServer, assert_policy_holds, keep_picture
from tests.live import wait_for

pytestmark = [pytest.mark.browser, pytest.mark.node]

WINDOW = {"width": 900, "height": 640}
# The client waits for a random time before it returns; this makes it the shortest.
RETURNS_SOON = "Math.random = () => 0"


@pytest.fixture(scope="session")
def client_folder(tmp_path_factory):
    """A folder with the official client, as it comes from npm, and nothing else."""
    home = tmp_path_factory.mktemp("npm")
    command = ["npm", "install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", home]
    install = subprocess.run([*command, "socket.io-client@4.8.1"], capture_output=True, text=True)
    if install.returncode:
        pytest.skip(f"npm could not install Socket.IO's client: {install.stderr[-500:]}")
    folder = tmp_path_factory.mktemp("client")
    shutil.copy(home / "node_modules/socket.io-client/dist/socket.io.min.js", folder)
    return folder


@pytest.fixture(scope="session")
def migrated_chat(client_folder):
    """The example chat's database, with its first room and somebody of the staff, to be copied."""
    server = ExampleServer("example_chat")
    path = client_folder.parent / "chat.sqlite3"
    server.environment |= {"SITE_DATABASE": str(path), "DJANGO_SUPERUSER_PASSWORD": "tide table"}
    for command in (
        ["migrate", "--verbosity", "0"],
        ["createsuperuser", "--noinput", "--username", "keeper", "--email", "keeper@example.com"],
    ):
        done = server.manage(*command)
        assert done.returncode == 0, done.stderr
    server.directory.cleanup()
    return path


@pytest.fixture
def server(migrated_chat, client_folder):
    server = ExampleServer("example_chat", migrated_chat)
    server.environment["CHAT_SOCKETIO_FOLDER"] = str(client_folder)
    with server:
        yield server


@pytest.fixture
def arrive(server, visitors):
    """Somebody at a room's door, who gives a name."""

    def arrive(name, room="lobby", **options):
        page = visitors.tab(
            f"{server.url}room/{room}/", script=RETURNS_SOON, **{"viewport": WINDOW, **options}
        )
        give_name(page, name)
        return page

    return arrive


@pytest.fixture
def enter(arrive):
    """Somebody new, who is let in."""

    def enter(name, room="lobby", **options):
        page = arrive(name, room, **options)
        expect(person(page, name)).to_be_visible()
        return page

    return enter


def give_name(page, name):
    page.get_by_label("Your name").fill(name)
    page.get_by_role("button", name="Enter").click()


def signed_in(visitors, address):
    """The page of somebody of the staff."""
    page = visitors.tab(address, viewport=WINDOW)
    page.get_by_label("Username").fill("keeper")
    page.get_by_label("Password").fill("tide table")
    page.get_by_role("button", name="Log in").click()
    return page


def say(page, text):
    page.get_by_label("Message").fill(text)
    page.get_by_role("button", name="Send").click()


def person(page, name):
    return page.locator("#people").get_by_role("button", name=name, exact=True)


def people(page):
    return page.locator("#people button")


def notes(page):
    return page.locator("#log .note")


def bubble(page, text):
    return page.locator("#log li", has=page.locator("p", has_text=text))


def is_delivered(page, text):
    expect(bubble(page, text)).to_have_class(re.compile(r"\bdelivered\b"))


def log_of(page):
    """Every line, as (who, text); who is empty for a small line."""
    return page.locator("#log li").evaluate_all(
        """(lines) => lines.map((line) => {
            const text = line.querySelector("p");
            return text ? [line.querySelector("b").textContent, text.textContent] : ["", line.textContent];
        })"""
    )


def test_two_people_talk(enter):
    ada = enter("Ada")
    grace = enter("Grace", viewport=PHONE)
    expect(notes(ada)).to_have_text(["Grace joined"])
    for page in (ada, grace):
        expect(people(page)).to_have_text(["Ada", "Grace"])

    say(ada, "Is the tide table right?")
    is_delivered(ada, "tide table")
    expect(bubble(grace, "tide table")).to_be_visible()
    say(grace, "It is an hour off: nobody told it about summer.")
    is_delivered(grace, "hour off")
    expect(bubble(ada, "hour off")).to_be_visible()
    say(ada, "Then I move the regatta.")
    say(ada, "<img src=x onerror=alert(1)>")
    is_delivered(ada, "<img")
    expect(bubble(grace, "<img")).to_be_visible()

    talk = [
        ["Ada", "Is the tide table right?"],
        ["Grace", "It is an hour off: nobody told it about summer."],
        ["Ada", "Then I move the regatta."],
        ["Ada", "<img src=x onerror=alert(1)>"],
    ]
    assert log_of(ada) == [["", "Grace joined"], *talk]
    assert log_of(grace) == talk
    assert bubble(ada, "regatta").bounding_box()["x"] > bubble(ada, "hour off").bounding_box()["x"]
    assert bubble(grace, "tide table").get_attribute("class") == "theirs starts"
    assert bubble(grace, "<img").get_attribute("class") == "theirs follows"
    keep_picture(ada, "chat.png")
    keep_picture(grace, "chat-phone.png")

    grace.close()
    expect(notes(ada).last).to_have_text("Grace left")
    expect(people(ada)).to_have_text(["Ada"])


def test_a_name_is_given_once_in_a_room(enter, arrive):
    ada = enter("Ada")
    other = arrive("ADA")

    expect(other.get_by_role("alert")).to_have_text("Somebody here is called ADA already.")
    give_name(other, "Grace")

    expect(people(other)).to_have_text(["Ada", "Grace"])
    expect(people(ada)).to_have_text(["Ada", "Grace"])


def test_a_new_room_has_its_own_names_and_its_own_talk(server, visitors, enter):
    ada, grace = enter("Ada"), enter("Grace")
    kurt = visitors.tab(server.url, viewport=WINDOW)
    expect(kurt.get_by_role("link", name="Lobby")).to_be_visible()

    kurt.get_by_label("Another room").fill("The Harbour")
    kurt.get_by_role("button", name="Open").click()
    give_name(kurt, "Ada")
    expect(people(kurt)).to_have_text(["Ada"])
    say(ada, "only for the lobby")
    expect(bubble(grace, "only for the lobby")).to_be_visible()
    say(kurt, "hello?")
    is_delivered(kurt, "hello?")
    say(grace, "and back")
    expect(bubble(ada, "and back")).to_be_visible()

    assert log_of(kurt) == [["Ada", "hello?"]]
    assert log_of(ada) == [["", "Grace joined"], ["Ada", "only for the lobby"], ["Grace", "and back"]]


def test_a_private_message_reaches_one_person(enter):
    ada, grace, kurt = enter("Ada"), enter("Grace"), enter("Kurt")
    expect(people(ada)).to_have_text(["Ada", "Grace", "Kurt"])

    person(ada, "Grace").click()
    say(ada, "The cake is for Kurt.")
    is_delivered(ada, "cake")
    expect(bubble(grace, "cake")).to_be_visible()
    person(ada, "Grace").click()
    say(ada, "Good morning!")
    expect(bubble(kurt, "Good morning!")).to_be_visible()

    assert log_of(grace)[-2:] == [["Ada, only to you", "The cake is for Kurt."], ["Ada", "Good morning!"]]
    assert log_of(kurt) == [["Ada", "Good morning!"]]


def test_a_private_message_to_somebody_who_has_left_is_for_nobody(enter):
    ada, grace, kurt = enter("Ada"), enter("Grace"), enter("Kurt")

    person(ada, "Grace").click()
    grace.close()
    expect(notes(ada).last).to_have_text("Grace left")
    say(ada, "The cake is for Kurt.")
    expect(bubble(ada, "cake")).to_have_class(re.compile(r"\bfailed\b"))
    person(ada, "Grace").click()
    say(ada, "Good morning!")
    expect(bubble(kurt, "Good morning!")).to_be_visible()

    assert log_of(kurt) == [["", "Grace left"], ["Ada", "Good morning!"]]


def test_the_shell_speaks_to_everyone(server, enter):
    ada, kurt = enter("Ada"), enter("Kurt")

    code = "from realtime_wall import broadcast_emit; broadcast_emit('system', 'We close at ten.')"
    done = server.manage("shell", "-c", code)

    assert done.returncode == 0, done.stderr
    for page in (ada, kurt):
        expect(notes(page).filter(has_text="We close at ten.")).to_have_count(1)


def test_the_staff_speaks_to_a_room_and_is_told_when_nobody_is_there(server, visitors, enter):
    staff = signed_in(visitors, f"{server.url}system/")

    def send(text):
        staff.get_by_label("To").select_option("Lobby")
        staff.get_by_label("Message").fill(text)
        staff.get_by_role("button", name="Send").click()
        return expect(staff.get_by_role("status"))

    send("Anybody?").to_have_text("Nobody is there.")
    ada = enter("Ada")
    send("Lunch is ready.").to_have_text("Sent to 1.")
    expect(notes(ada)).to_have_text(["Lunch is ready."])


def test_who_signs_out_is_cut_and_stays_away(server, visitors, enter):
    ada = enter("Ada")
    admin = signed_in(visitors, f"{server.url}admin/")
    keeper = admin.context.new_page()
    keeper.goto(f"{server.url}room/lobby/")
    give_name(keeper, "Keeper")
    expect(people(ada)).to_have_text(["Ada", "Keeper"])

    admin.get_by_role("button", name="Log out").click()

    expect(keeper.locator("#status")).to_have_text("disconnected")
    expect(people(ada)).to_have_text(["Ada"])


def test_the_talk_goes_on_after_the_server_was_killed(server, enter):
    ada, grace = enter("Ada"), enter("Grace")

    server.stop(signal.SIGKILL)
    for page in (ada, grace):
        expect(page.locator("#status")).to_have_text("connection lost")
    say(ada, "Does anybody hear me?")
    assert bubble(ada, "anybody").get_attribute("class") == "mine starts"
    server.start_again()

    # It has waited for the connection; whether Grace was back by then is another matter.
    is_delivered(ada, "anybody")
    for page in (ada, grace):
        expect(page.locator("#status")).to_have_text("")
        expect(notes(page).filter(has_text="Some messages were lost with the connection.")).to_have_count(1)
        expect(people(page)).to_have_count(2)
    say(grace, "Now I do.")
    expect(bubble(ada, "Now I do.")).to_be_visible()
    say(ada, "Welcome back!")
    is_delivered(ada, "Welcome back!")
    expect(bubble(grace, "Welcome back!")).to_be_visible()
    keep_picture(ada, "chat-reconnected.png")


def test_a_short_break_loses_nothing(enter):
    ada, grace = enter("Ada"), enter("Grace")

    # The connection of a train in a tunnel: nobody says goodbye, and the way back is shut for a while.
    ada.context.set_offline(True)
    ada.evaluate("socket.io.engine.close()")
    expect(notes(grace).last).to_have_text("Ada left")
    say(grace, "Ada, are you there?")
    is_delivered(grace, "are you there")
    ada.context.set_offline(False)

    expect(bubble(ada, "are you there")).to_have_count(1)
    expect(people(grace)).to_have_text(["Grace", "Ada"])
    assert "Some messages were lost with the connection." not in notes(ada).all_text_contents()


def test_no_page_breaks_its_own_policy_and_nothing_inline_runs(server, visitors):
    page = visitors.tab(server.url, script=RETURNS_SOON + "\n" + NOTES_VIOLATIONS)
    assert_policy_holds(visitors, page)
    page.goto(f"{server.url}room/lobby/")
    give_name(page, "Ada")
    expect(person(page, "Ada")).to_be_visible()
    # The page's policy lets no function of a test wait inside it.
    wait_for(lambda: page.evaluate("socket.io.engine.transport.name") == "websocket", "the upgrade")
    assert_policy_holds(visitors, page)


def test_a_page_that_cannot_load_the_client_says_so(server, visitors):
    page = visitors.tab(viewport=WINDOW)
    page.route("**/socket.io.min.js", lambda route: route.abort())
    page.goto(f"{server.url}room/lobby/")

    expect(page.get_by_role("alert")).to_contain_text("could not be loaded")
    expect(page.get_by_role("button", name="Enter")).to_be_disabled()
    page.get_by_label("Your name").press("Enter")
    assert page.url == f"{server.url}room/lobby/"
    assert visitors.complaints == ["Socket.IO's client could not be loaded"]
    visitors.complaints.clear()
