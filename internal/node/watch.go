package node

import (
	"io/fs"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"regain/internal/plan"
)

// watchEvery is how often files are looked at. One that changed is read when it looks the same twice in a row, so that
// it takes effect within two intervals, and is not read while it is being written.
const watchEvery = time.Second

// warnEvery is how often a running node repeats its warnings: a certificate ends months after the start that said nothing
// of it.
const warnEvery = 24 * time.Hour

// stamp tells one content of a file from another without reading it, and of a directory by its files. Kubernetes swaps a
// symbolic link above its files, and certbot the one that the path itself is: both lead to another file.
type stamp struct {
	target string // after all symbolic links
	info   fs.FileInfo
	files  []stamp // of a directory
}

func stampOf(path string) stamp {
	made := fileStamp(path)
	if made.info == nil || !made.info.IsDir() {
		return made
	}
	entries, _ := os.ReadDir(made.target) // what cannot be read looks empty, and whoever reads it says so
	for _, entry := range entries {
		if file := fileStamp(filepath.Join(made.target, entry.Name())); file.info != nil && !file.info.IsDir() {
			made.files = append(made.files, file)
		}
	}
	return made
}

func fileStamp(path string) stamp {
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return stamp{}
	}
	info, err := os.Stat(target)
	if err != nil {
		return stamp{}
	}
	return stamp{target: target, info: info}
}

// same reports whether nothing suggests that the file has another content.
func (s stamp) same(other stamp) bool {
	if s.info == nil || other.info == nil {
		return s.info == nil && other.info == nil
	}
	return s.target == other.target && os.SameFile(s.info, other.info) && s.info.Size() == other.info.Size() && s.info.ModTime().Equal(other.info.ModTime()) &&
		slices.EqualFunc(s.files, other.files, stamp.same)
}

// watched is a part with what its files looked like.
type watched struct {
	part
	taken  []stamp               // when it was last made
	last   []stamp               // when they were last looked at
	failed atomic.Pointer[error] // why it was not made again the last time
}

func newWatched(p part) *watched {
	w := &watched{part: p}
	w.taken = w.look()
	w.last = w.taken
	return w
}

func (w *watched) look() []stamp {
	stamps := make([]stamp, len(w.files))
	for i, path := range w.files {
		stamps[i] = stampOf(path)
	}
	return stamps
}

// changed reports whether the files are others than the part was made of, and have come to rest.
func (w *watched) changed() bool {
	now := w.look()
	rest := slices.EqualFunc(now, w.last, stamp.same)
	w.last = now
	return rest && !slices.EqualFunc(now, w.taken, stamp.same)
}

// take makes the part again and tells how that went. A file that cannot be used is told once, until it changes again.
func (w *watched) take(logger *slog.Logger) {
	w.taken = w.look() // before it is read: what changes meanwhile is seen next time
	w.last = w.taken
	if err := w.again(); err != nil {
		logger.Error("files were not read again; what they held before stays in use", "part", w.name, "cause", err)
		return
	}
	if !w.atStart {
		logger.Info("read files again", "part", w.name)
	}
}

// warn logs what is wrong and does not stop the node.
func (n *Node) warn(logger *slog.Logger, now time.Time) {
	for _, warning := range Warnings(n.cfg, now) {
		logger.Warn("configuration", "warning", warning)
	}
	for _, w := range n.parts {
		if err := w.stale(); err != nil {
			logger.Warn("files were not read again; what they held before stays in use", "part", w.name, "cause", err)
		}
	}
	// The start had no exclusion of nobody, and no file brings one. A directory that is no file may lose a group at any time.
	if err := plan.CheckDirectory(n.loaded.Policy, n.loaded.directory); err != nil {
		logger.Warn("configuration", "warning", err.Error())
	}
}

// holdHangup keeps SIGHUP from ending the process while nothing watches for it: before, when the files are being read for the
// first time, and after, when the node is being closed.
func holdHangup() (release func()) {
	held := make(chan os.Signal, 1)
	signal.Notify(held, syscall.SIGHUP)
	return func() { signal.Stop(held) }
}

// watch makes parts again when their files change, and all of them at SIGHUP, and warns once a day, until stop is called. At
// SIGHUP the audit log is carried on too, which whoever rotated it waits for.
func (n *Node) watch(logger *slog.Logger, clock func() time.Time, every time.Duration) (stop func()) {
	hangup, done, ended := make(chan os.Signal, 1), make(chan struct{}), make(chan struct{})
	signal.Notify(hangup, syscall.SIGHUP)
	ticker, warned, tended := time.NewTicker(every), clock(), n.kept.UsedKey()
	go func() {
		defer close(ended)
		n.kept.Copy() // who asked while the node was starting
		n.kept.TendKeys()
		n.kept.Prune(false)
		for {
			all := false
			select {
			case <-done:
				return
			case <-hangup:
				all = true
				if err := n.ReopenAudit(); err != nil {
					logger.Error("the audit log was not opened again, and no pass is issued", "cause", err)
				}
				n.kept.Copy()
				n.kept.Prune(true)
			case <-ticker.C:
			}
			for _, w := range n.parts {
				if all || w.changed() {
					w.take(logger)
				}
			}
			now, used := clock(), n.kept.UsedKey()
			daily := now.Sub(warned) >= warnEvery
			if daily {
				n.warn(logger, now)
				n.kept.Prune(false)
				warned = now
			}
			if all || daily || used != tended {
				n.kept.TendKeys()
				tended = used
			}
		}
	}()
	return func() {
		signal.Stop(hangup)
		ticker.Stop()
		close(done)
		<-ended
	}
}
