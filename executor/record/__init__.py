"""What took how long: closed words, one writer, one reader. Knows no secret of a job."""
