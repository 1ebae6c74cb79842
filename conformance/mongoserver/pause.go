package mongoserver

import (
	"errors"
	"fmt"
	"syscall"
)

// errOthers: a process of somebody else is not stopped.
var errOthers = errors.New("the MongoDB server is not the one that was started here")

// Pause stops the process of the server that was started for the database (SIGSTOP): its connections stay open, and nothing
// is answered until Resume. It is what comes nearest to a restart of a server in memory, which would lose everything.
func (d *Database) Pause() error { return d.signal(syscall.SIGSTOP) }

// Resume lets a server go on that Pause stopped.
func (d *Database) Resume() error { return d.signal(syscall.SIGCONT) }

func (d *Database) signal(s syscall.Signal) error {
	if d.server == nil {
		return errOthers
	}
	if err := d.server.process.Signal(s); err != nil {
		return fmt.Errorf("send %s to the MongoDB test server: %w", s, err)
	}
	return nil
}
