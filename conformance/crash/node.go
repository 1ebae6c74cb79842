package crash

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"time"
)

// Command is the subcommand that runs a node: `regain crash-node CONFIG` is `regain serve --config CONFIG` that also ends when
// its standard input does. It is for this package's use only: a node must not outlive a run that is killed itself.
const Command = "crash-node"

// UntilClosed returns a context that ends when in does.
func UntilClosed(ctx context.Context, in io.Reader) context.Context {
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		defer cancel()
		_, _ = io.Copy(io.Discard, in) // ends with in, whatever the cause
	}()
	return ctx
}

const (
	// patience is how long a node may take to serve again.
	patience = time.Minute
	look     = 10 * time.Millisecond // between two looks whether it does
	health   = "/healthz"
	// again is how long a supervisor waits before it starts a node again that ended by itself.
	again = 100 * time.Millisecond
)

// server is one node: a process that is killed and started again. One goroutine looks after it.
type server struct {
	name    string
	base    string   // its URL
	config  string   // file
	log     string   // file with what it writes
	audit   string   // its audit log
	program []string // what starts it, without the configuration
	kills   []kill   // to come, in order
	tally   *tally

	cmd   *exec.Cmd
	in    io.Closer
	ended chan struct{} // closed when the process has ended
}

// start starts the process.
func (s *server) start() error {
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	defer log.Close() //nolint:errcheck // the process has it
	arguments := append(slices.Clone(s.program[1:]), s.config)
	cmd := exec.Command(s.program[0], arguments...) //nolint:gosec,noctx // this program, which close ends
	cmd.Stdout, cmd.Stderr = log, log
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return fmt.Errorf("start %s: %w", s.name, err)
	}
	s.cmd, s.in, s.ended = cmd, in, make(chan struct{})
	go func(ended chan struct{}) {
		_ = cmd.Wait() // its log says how it ended
		close(ended)
	}(s.ended)
	return nil
}

// serves waits until the node serves, and starts it again where it ends by itself, as a supervisor does.
func (s *server) serves(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Timeout: time.Second}
	defer client.CloseIdleConnections()
	for !healthy(ctx, client, s.base) {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not serve (its log is %s): %w", s.name, s.log, ctx.Err())
		case <-s.ended:
			s.tally.add(&s.tally.supervised)
			time.Sleep(again)
			if err := s.start(); err != nil {
				return err
			}
		case <-time.After(look):
		}
	}
	return nil
}

func healthy(ctx context.Context, client *http.Client, base string) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, base+health, http.NoBody)
	if err != nil {
		return false
	}
	answer, err := client.Do(r)
	if err != nil {
		return false
	}
	_ = answer.Body.Close() // only the status is read
	return answer.StatusCode == http.StatusOK
}

// live looks after the node until ctx ends: it kills it when its time has come, and starts it again, also when it ends by
// itself.
func (s *server) live(ctx context.Context, progress func() float64) error {
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
			return nil
		case <-s.ended:
			s.tally.add(&s.tally.died)
			if err := s.restart(ctx, time.Now()); err != nil {
				return err
			}
		case <-time.After(look):
			if len(s.kills) > 0 && progress() >= s.kills[0].at {
				if err := s.kill(ctx); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// kill kills the process with SIGKILL, and starts it again after a while.
func (s *server) kill(ctx context.Context) error {
	next := s.kills[0]
	if err := s.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", s.name, err)
	}
	at := time.Now()
	s.tally.killed(s.name)
	<-s.ended
	time.Sleep(next.down)
	err := s.restart(ctx, at)
	s.kills = s.kills[1:]
	return err
}

// restart starts the process, which is away since a time.
func (s *server) restart(ctx context.Context, since time.Time) error {
	_ = s.in.Close() // of the process that is gone
	if err := s.start(); err != nil {
		return err
	}
	if err := s.serves(ctx); err != nil && ctx.Err() == nil {
		return err
	}
	if ctx.Err() == nil { // else the run was over before
		s.tally.recovered(&s.tally.worstNode, time.Since(since))
	}
	return nil
}

// close ends the process in the orderly way, and by SIGKILL where that takes too long.
func (s *server) close() error {
	if s.cmd == nil {
		return nil
	}
	_ = s.in.Close() // a process that is gone closed it
	const grace = 15 * time.Second
	select {
	case <-s.ended:
		return nil
	case <-time.After(grace):
		err := s.cmd.Process.Kill()
		<-s.ended
		return errors.Join(fmt.Errorf("%s did not end within %s", s.name, grace), err)
	}
}
