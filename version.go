package main

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// version is set when a release is built: go build -ldflags "-X main.version=1.2.3". The linker sets variables only.
var version = "0.1.0-dev" //nolint:gochecknoglobals // see above; nothing else writes it

// build says which build of Regain this is.
type build struct {
	version  string
	commit   string // "" where the build has no record of it, such as outside a checkout
	time     string // of the commit, RFC 3339
	modified bool   // files differed from the commit
}

// thisBuild reads what the go command recorded in the binary.
func thisBuild() build {
	b := build{version: version}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.commit = setting.Value
		case "vcs.time":
			b.time = setting.Value
		case "vcs.modified":
			b.modified = setting.Value == "true"
		}
	}
	return b
}

// String is what `regain version` prints: one line, of which the second word is the version.
func (b build) String() string {
	details := []string{"commit not recorded"}
	if b.commit != "" {
		details = []string{"commit " + b.commit}
		if b.modified {
			details[0] += ", modified"
		}
		details = append(details, b.time)
	}
	details = append(details, runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return "regain " + b.version + " (" + strings.Join(details, ", ") + ")"
}
