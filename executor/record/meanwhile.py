"""What a stage needs at its end: loaded while the engine works, so that nobody waits for it."""

import executor.log.lines  # noqa: F401
import executor.record.stage  # noqa: F401
