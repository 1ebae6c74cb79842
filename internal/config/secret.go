package config

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// Secret refers to a secret by file or by environment variable. The configuration never contains the secret itself.
type Secret struct {
	File string `koanf:"file"`
	Env  string `koanf:"env"`
}

// IsZero reports whether the secret is not configured.
func (s Secret) IsZero() bool { return s.File == "" && s.Env == "" }

// Source names where the secret comes from, for messages: its file, or its variable.
func (s Secret) Source() string {
	switch {
	case s.File != "":
		return s.file()
	case s.Env != "":
		return "the variable " + s.variable()
	}
	return "nowhere"
}

// file and variable are the names that may be quoted: a secret that was written in their place is not.
func (s Secret) file() string {
	const long = 20
	if len(s.File) >= long && !strings.ContainsAny(s.File, "/.\\") {
		return "(a name that looks like a secret itself)"
	}
	return s.File
}

func (s Secret) variable() string {
	if !regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`).MatchString(s.Env) {
		return "(a name that is not in capitals: perhaps the secret itself)"
	}
	return s.Env
}

// Read returns the secret without surrounding white space. key is the configuration key, for errors.
func (s Secret) Read(key string) (string, error) {
	switch {
	case s.File != "" && s.Env != "":
		return "", fmt.Errorf("%s: set either file or env, not both", key)
	case s.File != "":
		data, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("%s.file: open %s: %w: name a file that holds the secret, and nothing else", key, s.file(), cause(err))
		}
		if text := strings.TrimSpace(string(data)); text != "" {
			return text, nil
		}
		return "", fmt.Errorf("%s.file: %s is empty: put the secret into it", key, s.file())
	case s.Env != "":
		value := os.Getenv(s.Env)
		if value == "" {
			return "", fmt.Errorf("%s.env: the variable %s is empty or not set", key, s.variable())
		}
		return strings.TrimSpace(value), nil
	}
	return "", fmt.Errorf("%s: set %s.file to a file that contains it, or %s.env to the name of a variable", key, key, key)
}

// cause is an error without the path that os puts before it.
func cause(err error) error {
	if path, ok := err.(*os.PathError); ok { //nolint:errorlint // of os.ReadFile
		return path.Err
	}
	return err
}
