"""What one job leaves on the runner's host for the next one of its slot: a small file, if anything.

A record that is lost costs nothing: the sources begin with generation 0, and no failure is counted.
"""

import os

from executor.digests import sha256
from executor.host.state_files import opened, read, write
from executor.notation.sources import SourcesRecord, parse_record
from executor.quick_json import dumps


def record_name(address: str, first: str) -> str:
    """Return the name of the file for the sources whose first place has this name on an engine."""
    engine = sha256(address.encode()).hexdigest()[:8]
    return f"sources-{engine}-{'-'.join(first.split('/')[-2:])}.json"


def recall(state_dir: str, name: str) -> SourcesRecord:
    """Return what is known of a slot's sources."""
    with opened(state_dir) as directory:
        return parse_record(read(directory, name))


def remember(state_dir: str, name: str, record: SourcesRecord) -> bool:
    """Leave a record, no file where it says nothing; tell whether it is left."""
    with opened(state_dir) as directory:
        if directory < 0:
            return False
        try:
            if record == SourcesRecord():
                os.unlink(name, dir_fd=directory)
            else:
                write(directory, name, dumps(record.as_json()).encode())
        except FileNotFoundError:
            return True
        except OSError:
            return False
    return True
