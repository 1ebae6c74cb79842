//go:build !unix

package costtest

import "time"

// cpu is the time: there is no other clock.
func cpu() time.Duration { return time.Since(time.Unix(0, 0)) }
