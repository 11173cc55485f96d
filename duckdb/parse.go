package duckdb

import (
	"context"

	"outlay"
)

func parse(ctx context.Context, job outlay.ParseJob, ph *phases) ([]outlay.ParsedPeriod, error) {
	return nil, outlay.Errorf(outlay.CodeInternal, "", "parsing is not built yet")
}

func focusSQL() string { return "" }
