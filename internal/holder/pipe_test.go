package holder_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"regain/internal/holder"
)

// locked makes a file whose lock this process holds, as a node does that of its store.
func locked(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "regain.db")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return path
}

// answers answers each SIGHUP until the test ends.
func answers(t *testing.T, answer func()) {
	t.Helper()
	hangup, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer close(ended)
		select {
		case <-hangup:
			answer()
		case <-done:
		}
	}()
	t.Cleanup(func() {
		signal.Stop(hangup)
		close(done)
		<-ended
	})
}

// What the holder of the lock writes arrives whole, however much it is, and nothing is left beside the file.
func TestReceive(t *testing.T) {
	for name, size := range map[string]int{"a little": 5, "more than a pipe holds": 5 << 20} {
		path := locked(t)
		pipe := path + ".backup"
		want := bytes.Repeat([]byte("regain"), size)
		answers(t, func() {
			asked, err := holder.Send(context.Background(), pipe, func(out io.Writer) error {
				_, err := out.Write(want)
				return err
			})
			if err != nil || !asked {
				t.Errorf("%s: asked %t, %v", name, asked, err)
			}
		})
		if err := syscall.Mkfifo(pipe, 0o600); err != nil { // what another command left
			t.Fatal(err)
		}
		var got bytes.Buffer
		if err := holder.Receive(t.Context(), path, pipe, &got); err != nil || !bytes.Equal(got.Bytes(), want) {
			t.Errorf("%s: %d of %d octets, %v", name, got.Len(), len(want), err)
		}
		if _, err := os.Lstat(pipe); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the pipe is left: %v", name, err)
		}
	}
}

// Nobody holds the lock, or who does it does not answer: that is told, with what to do, when whoever waits gives up.
func TestReceiveFromNobody(t *testing.T) {
	free := filepath.Join(t.TempDir(), "regain.db")
	if err := os.WriteFile(free, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	silent := locked(t)
	answers(t, func() {})
	for path, says := range map[string]string{free: "send SIGHUP to the node yourself", silent: "its own log says why", filepath.Join(t.TempDir(), "none"): "make the pipe"} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		err := holder.Receive(ctx, path, path+".backup", io.Discard)
		cancel()
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// What somebody else put there under the name of the pipe stays, and nobody is asked.
func TestReceiveRemovesNoFile(t *testing.T) {
	path := locked(t)
	answers(t, func() { t.Error("asked") })
	if err := os.WriteFile(path+".backup", []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := holder.Receive(t.Context(), path, path+".backup", io.Discard); !errors.Is(err, os.ErrExist) {
		t.Errorf("received: %v", err)
	}
	if text, err := os.ReadFile(path + ".backup"); err != nil || string(text) != "mine" {
		t.Errorf("it holds %q, %v", text, err)
	}
}

// A volume that is full where the copy goes ends it.
func TestReceiveToAFullVolume(t *testing.T) {
	path := locked(t)
	answers(t, func() {
		if _, err := holder.Send(context.Background(), path+".backup", func(out io.Writer) error {
			_, err := io.Copy(out, bytes.NewReader(make([]byte, 5<<20)))
			return err
		}); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("the writer: %v", err)
		}
	})
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	if err := holder.Receive(t.Context(), path, path+".backup", full); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("the reader: %v", err)
	}
}

// A node writes its store to nothing but a pipe of its own user that nobody else reads: each row is another thing of that
// name.
func TestSendRefuses(t *testing.T) {
	fifo := func(mode os.FileMode) func(string) error {
		return func(path string) error { return errors.Join(syscall.Mkfifo(path, 0o600), os.Chmod(path, mode)) }
	}
	for name, row := range map[string]struct {
		make func(path string) error
		says string
	}{
		"a file":         {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "is no pipe"},
		"a link":         {func(path string) error { return os.Symlink("/dev/null", path) }, "open the pipe"},
		"others read it": {fifo(0o644), "others could read"},
		"of a group":     {fifo(0o660), "others could read"},
	} {
		pipe := filepath.Join(t.TempDir(), "regain.db.backup")
		if err := row.make(pipe); err != nil {
			t.Fatal(err)
		}
		in, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			t.Fatal(err)
		}
		asked, err := holder.Send(t.Context(), pipe, func(io.Writer) error {
			t.Errorf("%s: written to", name)
			return nil
		})
		if !asked || err == nil || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: asked %t, %v", name, asked, err)
		}
		_ = in.Close()
	}
}

// Where nobody asks, or who asked is gone, nothing is written and nothing is wrong.
func TestSendToNobody(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "regain.db.backup")
	for name, prepare := range map[string]func() error{"no pipe": func() error { return nil }, "nobody reads": func() error { return syscall.Mkfifo(pipe, 0o600) }} {
		if err := prepare(); err != nil {
			t.Fatal(err)
		}
		if asked, err := holder.Send(t.Context(), pipe, func(io.Writer) error { return errors.New("written") }); asked || err != nil {
			t.Errorf("%s: asked %t, %v", name, asked, err)
		}
	}
}

// A node that stops does not wait for a reader that does nothing.
func TestSendEndsWithItsNode(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "regain.db.backup")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	in, err := os.OpenFile(pipe, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	began := time.Now()
	asked, err := holder.Send(ctx, pipe, func(out io.Writer) error {
		_, err := io.Copy(out, bytes.NewReader(make([]byte, 5<<20)))
		return err
	})
	if !asked || !errors.Is(err, context.DeadlineExceeded) || time.Since(began) > 5*time.Second {
		t.Errorf("asked %t, after %s: %v", asked, time.Since(began), err)
	}
}
