package load

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"time"
)

// Command is the subcommand that runs the server's process: `regain load-node CONFIG PROFILE`, for this package's use
// only.
const Command = "load-node"

// child is the server's process. It is spoken to line by line: a word in, a line of JSON out; it ends when its input
// does.
type child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// spawn starts this program once more as the server, and hands it the listener.
func spawn(ctx context.Context, profile string, started **child) func(config string, l *net.TCPListener) (io.Closer, error) {
	return func(config string, l *net.TCPListener) (io.Closer, error) {
		program, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find this program: %w", err)
		}
		file, err := l.File()
		if err != nil {
			return nil, fmt.Errorf("hand over the listener: %w", err)
		}
		defer file.Close()
		cmd := exec.CommandContext(ctx, program, Command, config, profile)
		cmd.ExtraFiles, cmd.Stderr = []*os.File{file}, os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return nil, fmt.Errorf("start the server: %w", err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			return nil, fmt.Errorf("start the server: %w", err)
		}
		if err := cmd.Start(); err != nil {
			return nil, fmt.Errorf("start the server: %w", err)
		}
		*started = &child{cmd: cmd, in: in, out: bufio.NewReader(out)}
		return *started, nil
	}
}

func (c *child) ask(word string, answer any) error {
	if _, err := fmt.Fprintln(c.in, word); err != nil {
		return fmt.Errorf("ask the server for its %s: %w", word, err)
	}
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("ask the server for its %s: %w", word, err)
	}
	return json.Unmarshal(line, answer)
}

func (c *child) usage() (u Usage, err error) { return u, c.ask("usage", &u) }

// floor measures the cryptography of a recovery that uses the store as each says.
func (c *child) floor(each Usage) (d time.Duration, err error) {
	text, err := json.Marshal(each)
	if err != nil {
		return 0, err
	}
	return d, c.ask("floor "+string(text), &d)
}

// Close ends the server and waits for it.
func (c *child) Close() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }
