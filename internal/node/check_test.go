package node_test

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/internal/config"
	"regain/internal/node"
)

// listing is every file below some directories, with its mode, size, time of change and content.
func listing(t *testing.T, directories ...string) string {
	t.Helper()
	var all strings.Builder
	for _, directory := range directories {
		err := filepath.WalkDir(directory, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			fmt.Fprintln(&all, path, info.Mode(), info.Size(), info.ModTime().UnixNano())
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(path)
				if err != nil {
					return err
				}
				all.Write(data)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}

// A check leaves everything as it is: before the first start, when a node has run, and beside one that runs. Made as
// root, a file would keep the service from starting; a lock would keep it from working.
func TestCheckReadsOnly(t *testing.T) {
	cfg := valid(t)
	directories := []string{filepath.Dir(cfg.Storage.Path), filepath.Dir(cfg.Audit.File), os.Getenv("TMPDIR")}
	check := func(when string) {
		t.Helper()
		before := listing(t, directories...)
		if err := node.Check(cfg); err != nil {
			t.Errorf("%s: %v", when, err)
		}
		if after := listing(t, directories...); after != before {
			t.Errorf("%s: it left\n%s\nwhere there was\n%s", when, after, before)
		}
	}
	check("before the first start")
	cfg.Listen = freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- node.Serve(ctx, cfg, slog.New(slog.DiscardHandler)) }()
	get(t, http.DefaultClient, "http://"+cfg.Listen+"/healthz")
	check("beside the node")
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	check("after it")
	for _, directory := range directories { // for one who may not write there, or for root, whom nothing stops
		if err := os.Chmod(directory, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(directory, 0o700) })
	}
	check("where nothing may be made")
}

// What would stop the start is told without starting, with the key and the file.
func TestCheckOfFiles(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "none", "file")
	beside := func(path string, data string) string {
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for says, change := range map[string]func(c *config.Config){
		"storage: stat " + filepath.Dir(missing):    func(c *config.Config) { c.Storage.Path = missing },
		"audit.file: stat " + filepath.Dir(missing): func(c *config.Config) { c.Audit.File = missing },
		"is no file":      func(c *config.Config) { c.Storage.Path = filepath.Dir(c.Storage.Path) },
		"not a directory": func(c *config.Config) { c.Audit.File = filepath.Join(c.Directory.File, "audit") },
		"regain.db: its first pages are none of a store: it is damaged: put back a copy": func(c *config.Config) { beside(c.Storage.Path, "x") },
		"not the first line of a segment":                                                func(c *config.Config) { beside(c.Audit.File, "\x00\n") },
	} {
		cfg := valid(t)
		change(&cfg)
		before := listing(t, filepath.Dir(cfg.Directory.File))
		err := node.Check(cfg)
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("got %v, want %s", err, says)
		}
		if listing(t, filepath.Dir(cfg.Directory.File)) != before {
			t.Errorf("%s: something changed", says)
		}
	}
}
