from realtime_wall.answers import failure, success


def test_success_and_failure_say_so_with_whatever_else_is_to_be_said():
    assert success() == {"success": True}
    assert success("stored", id=3) == {"success": True, "message": "stored", "id": 3}
    assert failure("no such room", room="a") == {"success": False, "message": "no such room", "room": "a"}
