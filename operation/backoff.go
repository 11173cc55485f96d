package operation

import (
	"math/rand/v2"
	"time"
)

// longest is the longest pause between two attempts.
const longest = time.Hour

// pause is how long to wait after the n-th failure in a row: first, doubled each time, at most an hour, with up to a
// quarter taken off at random so that many failures do not come back at the same moment.
func pause(first time.Duration, n int) time.Duration {
	d := first
	for i := 1; i < n && d < longest; i++ {
		d *= 2
	}
	d = min(d, longest)
	return d - time.Duration(rand.Int64N(int64(d)/4+1))
}
