package oidf

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// Code is the commit of the code under test.
type Code struct {
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // files differed from the commit
}

func (c Code) String() string {
	const short = 12
	text := c.Commit[:min(short, len(c.Commit))]
	switch {
	case text == "":
		return "not recorded"
	case c.Modified:
		return text + " with changes"
	}
	return text
}

// orCheckout returns the commit that the binary records or else, because `go run` records none, that of the checkout
// around a directory. Results of code that nobody can name prove nothing, so that neither is an error.
func (c Code) orCheckout(ctx context.Context, directory string) (Code, error) {
	if c.Commit != "" {
		return c, nil
	}
	git := func(args ...string) (string, error) {
		text, err := exec.CommandContext(ctx, "git", append([]string{"-C", directory}, args...)...).Output()
		return strings.TrimSpace(string(text)), err
	}
	commit, unknown := git("rev-parse", "HEAD")
	// The results of this very run change while it runs, and are not under test.
	changes, unclear := git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":(exclude,top)conformance/oidf/results.json", ":(exclude,top)conformance/oidf/RESULTS.md")
	if err := errors.Join(unknown, unclear); err != nil {
		return c, fmt.Errorf("which commit is under test is not known: build with `go build` in a checkout, or run it there: %w", err)
	}
	return Code{Commit: commit, Modified: changes != ""}, nil
}
