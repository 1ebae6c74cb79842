package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Secret refers to a secret, in one of four ways. The configuration never contains the secret itself.
type Secret struct {
	File       string `koanf:"file"`       // a path
	Env        string `koanf:"env"`        // the name of a variable
	Directory  string `koanf:"directory"`  // a path: each file of it is one secret, such as a Secret that Kubernetes mounts
	Credential string `koanf:"credential"` // a name in the directory of the service's credentials (systemd.exec(5), LoadCredential=)
}

// credentials is the variable in which systemd tells a service where its credentials are.
const credentials = "CREDENTIALS_DIRECTORY"

// sources are the keys of a Secret that are set.
func (s Secret) sources() (names []string) {
	for _, source := range []struct{ name, value string }{{"file", s.File}, {"env", s.Env}, {"directory", s.Directory}, {"credential", s.Credential}} {
		if source.value != "" {
			names = append(names, source.name)
		}
	}
	return names
}

// IsZero reports whether the secret is not configured.
func (s Secret) IsZero() bool { return len(s.sources()) == 0 }

// Path is the file or the directory that the secret is in, "" for a variable, and for a credential where there are none.
func (s Secret) Path() string {
	switch {
	case s.File != "":
		return s.File
	case s.Directory != "":
		return s.Directory
	case s.Credential != "" && s.checkCredential("") == nil:
		return filepath.Join(os.Getenv(credentials), s.Credential)
	}
	return ""
}

// Paths are all that may show or change the secret: its file, or its directory with what is in it. What cannot be read is
// left out: whoever reads the secret says so.
func (s Secret) Paths() []string {
	path := s.Path()
	if path == "" {
		return nil
	}
	all := []string{path}
	if s.Directory != "" {
		names, _ := namesIn(s.root())
		for _, name := range names {
			all = append(all, filepath.Join(path, name))
		}
	}
	return all
}

// Source names where the secret comes from, for messages: its file, its directory, its variable or its credential.
func (s Secret) Source() string {
	switch {
	case s.File != "":
		return quotable(s.File)
	case s.Env != "":
		return "the variable " + s.variable()
	case s.Directory != "":
		return quotable(s.Directory)
	case s.Credential != "":
		return "the credential " + quotable(s.Credential)
	}
	return "nowhere"
}

// quotable is a path or a name that a message may repeat: a secret that was written in its place is not.
func quotable(name string) string {
	const long = 20
	if len(name) >= long && !strings.ContainsAny(name, "/.\\") {
		return "(a name that looks like a secret itself)"
	}
	return name
}

func (s Secret) variable() string {
	if !regexp.MustCompile(`^[A-Z_][A-Z0-9_]*$`).MatchString(s.Env) {
		return "(a name that is not in capitals: perhaps the secret itself)"
	}
	return s.Env
}

// Value is one secret of those that a Secret refers to.
type Value struct {
	Text   string // without surrounding white space, and not empty
	Source string // where it was found, for messages
}

// Read returns the secret without surrounding white space, where there is to be one. key is the configuration key, for
// errors.
func (s Secret) Read(key string) (string, error) {
	values, err := s.All(key)
	if err != nil {
		return "", err
	}
	if len(values) > 1 {
		return "", fmt.Errorf("%s.directory: %s holds %d secrets, and one is used here: leave one file in it", key, quotable(s.Directory), len(values))
	}
	return values[0].Text, nil
}

// All returns every secret that is referred to: one, or those of a directory, in the order of their files' names. key is
// the configuration key, for errors, which never quote a secret.
func (s Secret) All(key string) ([]Value, error) {
	values, _, err := s.all(key)
	return values, err
}

// Ordered is All with the one first that is used where the others are only still, or already, recognised. In a directory
// that is the one whose file the file "use" names: names alone must not decide it, since a new key has to be known to every
// node before one of them uses it.
func (s Secret) Ordered(key string) ([]Value, error) {
	values, chosen, err := s.all(key)
	if err == nil && len(values) > 1 && !chosen {
		return nil, fmt.Errorf("%s.directory: %s holds %d secrets, and nothing says which is used: write the name of its file into a file %q beside them", key, quotable(s.Directory), len(values), use)
	}
	return values, err
}

func (s Secret) all(key string) (values []Value, chosen bool, err error) {
	names := s.sources()
	switch {
	case len(names) > 1:
		return nil, false, fmt.Errorf("%s: set %s, and no other of them", key, strings.Join(names, " or "))
	case len(names) == 0:
		return nil, false, fmt.Errorf("%s: set %s.file to a file that contains it, or %s.env to the name of a variable; or %s.directory or %s.credential (docs/keys.md)", key, key, key, key, key)
	case s.Directory != "":
		return s.mounted(key)
	case s.Env != "":
		value := strings.TrimSpace(os.Getenv(s.Env))
		if value == "" {
			return nil, false, fmt.Errorf("%s.env: the variable %s is empty or not set", key, s.variable())
		}
		return []Value{{value, s.Source()}}, false, nil
	case s.Credential != "":
		if err := s.checkCredential(key); err != nil {
			return nil, false, err
		}
	}
	value, err := readSecret(s.Path(), s.Source(), key+"."+names[0])
	if err != nil {
		return nil, false, err
	}
	return []Value{value}, false, nil
}

// checkCredential refuses a credential that cannot be there.
func (s Secret) checkCredential(key string) error {
	switch {
	case s.Credential == "." || s.Credential == ".." || strings.ContainsAny(s.Credential, `/\`):
		return fmt.Errorf("%s.credential: is no name of a credential: write the name that LoadCredential= gives it, without a path", key)
	case os.Getenv(credentials) == "":
		return fmt.Errorf("%s.credential: the variable %s is not set: systemd sets it for a unit that has LoadCredential= or LoadCredentialEncrypted=", key, credentials)
	}
	return nil
}

// readSecret reads a file. key is the configuration key that names it.
func readSecret(path, source, key string) (Value, error) {
	data, err := os.ReadFile(path) //nolint:gosec // the configuration names it
	if err != nil {
		return Value{}, fmt.Errorf("%s: open %s: %w: name a file that holds the secret, and nothing else", key, source, cause(err))
	}
	text := strings.TrimSpace(string(data))
	if text == "" {
		return Value{}, fmt.Errorf("%s: %s is empty: put the secret into it", key, source)
	}
	return Value{text, source}, nil
}

// use is the file of a directory of secrets that names the one that is used.
const use = "use"

// mounted reads a directory of secrets, and reports whether "use" says which comes first.
func (s Secret) mounted(key string) (values []Value, chosen bool, err error) {
	key += ".directory"
	root := s.root()
	names, err := namesIn(root)
	if err != nil {
		return nil, false, fmt.Errorf("%s: open %s: %w: name a directory whose files each hold one secret", key, quotable(s.Directory), cause(err))
	}
	if chosen = slices.Contains(names, use); chosen {
		value, err := readSecret(filepath.Join(root, use), filepath.Join(quotable(s.Directory), use), key)
		if err != nil {
			return nil, false, err
		}
		first := value.Text
		names = slices.DeleteFunc(names, func(name string) bool { return name == use })
		at := slices.Index(names, first)
		if at < 0 {
			return nil, false, fmt.Errorf("%s: the file %q in %s is to hold the name of another file there, and does not", key, use, quotable(s.Directory))
		}
		names = slices.Insert(slices.Delete(names, at, at+1), 0, first)
	}
	for _, name := range names {
		value, err := readSecret(filepath.Join(root, name), filepath.Join(quotable(s.Directory), quotable(name)), key)
		if err != nil {
			return nil, false, err
		}
		values = append(values, value)
	}
	if len(values) == 0 {
		return nil, false, fmt.Errorf("%s: %s holds no file: put each secret into a file of its own", key, quotable(s.Directory))
	}
	return values, chosen, nil
}

// root is the directory that the files are read from. Kubernetes swaps the symbolic link "..data" when it changes any of them:
// whoever follows it once reads all of one version.
func (s Secret) root() string {
	if version, err := filepath.EvalSymlinks(filepath.Join(s.Directory, "..data")); err == nil {
		return version
	}
	return s.Directory
}

// namesIn returns the names of a directory's files, in their order. Kubernetes keeps its own in the ones that begin with two
// dots, and editors theirs in those that begin with one.
func namesIn(root string) (names []string, err error) {
	entries, err := os.ReadDir(root)
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), ".") {
			names = append(names, entry.Name())
		}
	}
	return names, err
}

// cause is an error without the path that os puts before it.
func cause(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
