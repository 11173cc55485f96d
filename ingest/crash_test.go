package ingest_test

type childJob struct{}

func (childJob) run() error { return nil }
