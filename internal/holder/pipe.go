package holder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"
)

const (
	// patience is how long a process may take to begin with what it is asked for, and pause how often it is looked at.
	patience = 10 * time.Second
	pause    = 20 * time.Millisecond
	// stalled is how long the other end of a pipe may do nothing.
	stalled = 30 * time.Second
)

// Receive makes a pipe (fifo(7)) of this name, has the process that holds locked write to it, and copies to out what comes.
// Nothing of what comes is on disk beside the locked file, so a volume that is nearly full is not filled by it. Nil means
// that the other end closed the pipe: whether it had said all, what came must tell.
func Receive(ctx context.Context, locked, pipe string, out io.Writer) (err error) {
	if info, err := os.Lstat(pipe); err == nil && info.Mode().Type() == fs.ModeNamedPipe { // left by a command that was killed
		if err := os.Remove(pipe); err != nil {
			return fmt.Errorf("ask the node: %w", err)
		}
	}
	if err := makePipe(locked, pipe); err != nil {
		return fmt.Errorf("ask the node: make the pipe %s: %w", pipe, err)
	}
	defer os.Remove(pipe) //nolint:errcheck // the next command removes it too
	in, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return fmt.Errorf("ask the node: %w", err)
	}
	defer in.Close() //nolint:errcheck // only read
	defer context.AfterFunc(ctx, func() { _ = in.SetReadDeadline(time.Unix(1, 0)) })()
	pid, err := hangup(locked)
	if err != nil && !errors.Is(err, ErrNobody) {
		return err
	}
	if err = copyFrom(ctx, in, out); err != nil {
		return errors.Join(err, told(pid))
	}
	return nil
}

// makePipe makes a pipe that the owner of locked may write to, also where root asks.
func makePipe(locked, pipe string) error {
	info, err := os.Stat(locked)
	if err != nil {
		return err
	}
	if err := syscall.Mkfifo(pipe, private); err != nil {
		return err
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Lchown(pipe, int(stat.Uid), int(stat.Gid))
	}
	return nil
}

// told says who was asked, and did not answer.
func told(pid int) error {
	if pid == 0 {
		return ErrNobody
	}
	return fmt.Errorf("process %d was asked; its own log says why it did not answer", pid)
}

// copyFrom copies what comes through a pipe. Until somebody writes, a read finds the end.
func copyFrom(ctx context.Context, in *os.File, out io.Writer) error {
	room := make([]byte, 1<<20)
	for began, some := time.Now(), false; ; {
		if err := in.SetReadDeadline(time.Now().Add(stalled)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil { // after the deadline, which an end of the context that comes now replaces
			return err
		}
		n, err := in.Read(room)
		if n > 0 {
			some = true
			if _, err := out.Write(room[:n]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF) && some:
			return nil
		case errors.Is(err, io.EOF) && time.Since(began) > patience:
			return errors.New("nothing came")
		case errors.Is(err, io.EOF):
			time.Sleep(pause)
		case err != nil:
			return fmt.Errorf("read what the node writes: %w", err)
		}
	}
}

// Send writes to a pipe that somebody made by Receive. Where there is none, it does nothing and reports false. A pipe that
// another user made is refused: whoever may make files in the directory could read what they may not read.
func Send(ctx context.Context, pipe string, write func(out io.Writer) error) (asked bool, err error) {
	if _, err := os.Lstat(pipe); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	out, err := os.OpenFile(pipe, os.O_WRONLY|syscall.O_NONBLOCK|syscall.O_NOFOLLOW, 0)
	if errors.Is(err, syscall.ENXIO) {
		return false, nil // whoever asked is gone
	}
	if err != nil {
		return true, fmt.Errorf("open the pipe %s: %w", pipe, err)
	}
	defer out.Close() //nolint:errcheck // whoever reads learns whether all came
	if err := ours(out); err != nil {
		return true, fmt.Errorf("the pipe %s: %w", pipe, err)
	}
	defer context.AfterFunc(ctx, func() { _ = out.SetWriteDeadline(time.Unix(1, 0)) })()
	return true, errors.Join(write(patient{ctx, out}), ctx.Err())
}

// ours refuses what is no pipe, and one that somebody else could read.
func ours(pipe *os.File) error {
	info, err := pipe.Stat()
	if err != nil {
		return err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || info.Mode().Type() != fs.ModeNamedPipe {
		return errors.New("is no pipe")
	}
	if info.Mode().Perm() != private || int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("belongs to user %d with mode %o, and is refused: others could read what is written to it", stat.Uid, info.Mode().Perm())
	}
	return nil
}

// patient writes to a pipe whose other end may do nothing for a while, and not for ever.
type patient struct {
	ctx context.Context //nolint:containedctx // of one call of Send
	out *os.File
}

func (p patient) Write(b []byte) (int, error) {
	if err := p.out.SetWriteDeadline(time.Now().Add(stalled)); err != nil {
		return 0, err
	}
	if err := p.ctx.Err(); err != nil { // after the deadline, which an end of the context that comes now replaces
		return 0, err
	}
	return p.out.Write(b)
}
