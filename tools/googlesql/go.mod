// Google's own analyzer of GoogleSQL, as pure Go: it judges every statement that goes to BigQuery. A module of its own,
// because building it takes minutes and gigabytes.
module outlay/tools/googlesql

go 1.26.0

require (
	github.com/goccy/go-googlesql v0.4.0
	github.com/goccy/googlesqlwasm2go v0.2.0 // indirect
)
