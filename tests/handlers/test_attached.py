"""What Slack tells of a message's files is read whatever it looks like."""

from __future__ import annotations

from handlers.attached import ATTACHMENTS_MAX, attachments_of, files_of


def test_odd_files_of_a_message_are_left_out() -> None:
    """A stub from another workspace stays: ``files.info`` knows more of it. A deleted one does not."""
    files = [
        {"id": "F1", "file_access": "check_file_info"},
        {"name": "no id"},
        {"id": 9, "mimetype": "image/png"},
        {"id": "F2", "mode": "tombstone"},
        7,
    ]
    (stub,) = attachments_of({"files": files})
    assert (stub.file_id, stub.name, stub.media_type, stub.size_bytes) == ("F1", "file", "", 0)
    assert files_of({"files": files}) == files[:1]
    assert attachments_of({"files": None}) == attachments_of({}) == ()


def test_no_more_files_are_read_than_it_takes_to_be_too_many() -> None:
    files = [{"id": f"F{number}", "name": "a.png"} for number in range(1000)]
    assert len(attachments_of({"files": files})) == ATTACHMENTS_MAX
