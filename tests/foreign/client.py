"""Calls the example through the client that openapi-python-client generated. Arguments: the folder of the generated package,
the address."""

import builtins
import json
import sys
from io import BytesIO

sys.path.insert(0, sys.argv[1])

from generated_client.types import File, Unset

# The generator (0.29.1) uses this name in an operation with two kinds of body and forgets to import it.
builtins.Unset = Unset

from generated_client import Client
from generated_client.api.default import (
    change_note,
    compute,
    cpu_health,
    create_note,
    delete_note,
    list_notes,
    read_note,
    replace_note,
    transform,
    upload,
)
from generated_client.models import (
    ChangeNoteBody,
    ComputeBody,
    NewNote,
    Note,
    Operation,
    TransformBody,
    UploadFilesBody,
)

client = Client(base_url=sys.argv[2])


def expect(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


expect(cpu_health.sync(client=client).service, "cpu")
created = create_note.sync_detailed(client=client, body=NewNote(title="milk"))
expect((created.status_code, created.headers["location"].startswith("notes/")), (201, True))
note = created.parsed
expect((type(note), note.title, note.text), (Note, "milk", ""))
expect(read_note.sync(note.id, client=client), note)
expect(replace_note.sync(note.id, client=client, body=NewNote(title="bread", text="rye")).text, "rye")
changed = change_note.sync(note.id, client=client, body=ChangeNoteBody(text="white"))
expect((changed.title, changed.text), ("bread", "white"))
expect([found.id for found in list_notes.sync(client=client, containing="bread", limit=5)], [note.id])
expect(delete_note.sync_detailed(note.id, client=client).status_code, 204)

# Errors have types as well.
gone = read_note.sync_detailed(note.id, client=client)
expect((gone.status_code, gone.parsed.code, gone.parsed.data.id), (404, "no_such_note", note.id))
empty = transform.sync_detailed(client=client, body=TransformBody(text=" "))
expect((empty.status_code, json.loads(empty.content)["code"]), (400, "empty_text"))
wrong = compute.sync_detailed(client=client, body=ComputeBody(numbers=[1.0, "two"]))
expect((wrong.status_code, wrong.parsed.errors[0].path), (422, "body.numbers[1]"))

made = transform.sync(client=client, body=TransformBody(text="straße", operation=Operation.UPPERCASE))
expect(made.transformed, "STRASSE")
expect(compute.sync(client=client, body=ComputeBody(numbers=[1.0, 2.0])).sum_of_squares, 5.0)
file = File(payload=BytesIO(b"hello"), file_name="h.txt", mime_type="text/plain")
sent = upload.sync(client=client, body=UploadFilesBody(file=file, comment="mine"))
expect((sent.size, sent.file_name, sent.content_type, sent.comment), (5, "h.txt", "text/plain", "mine"))
print("all calls were answered")
