//go:build unix

package mongoserver

import (
	"os/exec"
	"syscall"
)

// apart starts a command in a process group of its own: Ctrl-C is sent to all of a terminal's group, and the server has to
// outlive whoever still writes to it.
func apart(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
