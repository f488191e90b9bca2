"""What a stage needs when its script has ended: loaded while that runs, so that nobody waits for it."""

import executor.log.lines  # noqa: F401
import executor.record.stage  # noqa: F401
