//go:build npm

package web_test

import (
	"os/exec"
	"testing"
)

// A live page goes on after a server that was restarted, and where there was no place for it.
func TestTheLivePageGoesOn(t *testing.T) {
	command := exec.CommandContext(t.Context(), "node", "../../conformance/browsertest/progress.mjs", "pages/static/progress.js")
	if said, err := command.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}
