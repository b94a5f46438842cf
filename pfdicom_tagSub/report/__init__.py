"""What a run tells: record, survey, table, page, log."""
