package keep

import (
	"context"
	"time"
)

// repetition is something that is done now and then.
type repetition struct {
	stop  context.CancelFunc
	ended chan struct{}
}

// repeat has do called at each interval until end. Its context ends then, too.
func repeat(interval time.Duration, do func(ctx context.Context)) *repetition {
	ctx, stop := context.WithCancel(context.Background())
	r := &repetition{stop, make(chan struct{})}
	go func() {
		defer close(r.ended)
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			do(ctx)
		}
	}()
	return r
}

// end ends it, and waits for what is being done.
func (r *repetition) end() {
	r.stop()
	<-r.ended
}
