package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regain/internal/config"
)

// canary is in every secret here, and in no message.
const canary = "c4n4ry"

// mounted makes a directory with these files.
func mounted(t *testing.T, files map[string]string) string {
	t.Helper()
	directory := t.TempDir()
	for name, text := range files {
		path := filepath.Join(directory, name)
		if text == "" {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return directory
}

func texts(values []config.Value) (all []string) {
	for _, value := range values {
		all = append(all, value.Text)
	}
	return all
}

// A directory holds one secret a file, in the order of the names, but for the one that is used.
func TestDirectoriesOfSecrets(t *testing.T) {
	for name, row := range map[string]struct {
		files   map[string]string
		ordered []string // nil: refused
		all     []string
	}{
		"one":               {map[string]string{"2026-11": " a\n"}, []string{"a"}, []string{"a"}},
		"three":             {map[string]string{"b": "2", "a": "1", "c": "3"}, nil, []string{"1", "2", "3"}},
		"the last is used":  {map[string]string{"b": "2", "a": "1", "c": "3", "use": "c\n"}, []string{"3", "1", "2"}, []string{"3", "1", "2"}},
		"the first is used": {map[string]string{"b": "2", "a": "1", "use": "a"}, []string{"1", "2"}, []string{"1", "2"}},
		"hidden ones":       {map[string]string{"a": "1", ".a.swp": "0", "..2026": "", "..data.txt": "0"}, []string{"1"}, []string{"1"}},
	} {
		s := config.Secret{Directory: mounted(t, row.files)}
		if all, err := s.All("key"); err != nil || !slices.Equal(texts(all), row.all) {
			t.Errorf("%s: all: %v, %v", name, texts(all), err)
		}
		ordered, err := s.Ordered("key")
		if (err == nil) != (row.ordered != nil) || !slices.Equal(texts(ordered), row.ordered) {
			t.Errorf("%s: ordered: %v, %v", name, texts(ordered), err)
		}
		if err != nil && !strings.Contains(err.Error(), "key.directory: "+s.Directory+" holds 3 secrets, and nothing says which is used: write the name of its file into a file \"use\"") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Kubernetes mounts a directory whose files are links through "..data", and swaps that: one version is read, whole.
func TestADirectoryThatKubernetesMounts(t *testing.T) {
	directory := t.TempDir()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for version, files := range map[string]map[string]string{"..v1": {"a": "1"}, "..v2": {"a": "1", "b": "2", "use": "b"}} {
		must(os.Mkdir(filepath.Join(directory, version), 0o700))
		for name, text := range files {
			must(os.WriteFile(filepath.Join(directory, version, name), []byte(text), 0o600))
		}
	}
	for _, name := range []string{"a", "b", "use"} {
		must(os.Symlink("..data/"+name, filepath.Join(directory, name)))
	}
	s := config.Secret{Directory: directory}
	for version, want := range map[string][]string{"..v1": {"1"}, "..v2": {"2", "1"}} {
		must(os.Symlink(version, filepath.Join(directory, "..next")))
		must(os.Rename(filepath.Join(directory, "..next"), filepath.Join(directory, "..data")))
		if got, err := s.Ordered("key"); err != nil || !slices.Equal(texts(got), want) {
			t.Errorf("%s: %v, %v", version, texts(got), err)
		}
	}
	paths := s.Paths()
	if len(paths) < 2 || paths[0] != directory || !slices.Contains(paths, filepath.Join(directory, "a")) {
		t.Errorf("the paths are %v", paths)
	}
}

// Each row breaks one thing of a secret that can be read; the message names the key, the place and the cure, and no secret.
func TestSecretsThatCannotBeRead(t *testing.T) {
	file := write(t, canary)
	t.Setenv("CREDENTIALS_DIRECTORY", mounted(t, map[string]string{"token": canary, "empty": " ", "directory": ""}))
	t.Setenv("BLANK", " ")
	long := canary + strings.Repeat("A", 43)
	for name, row := range map[string]struct {
		secret config.Secret
		says   []string // nil: it can be read
	}{
		"a file":                 {config.Secret{File: file}, nil},
		"a credential":           {config.Secret{Credential: "token"}, nil},
		"nothing":                {config.Secret{}, []string{"key: set key.file", "key.env", "key.directory", "key.credential"}},
		"a file and a directory": {config.Secret{File: file, Directory: "/x"}, []string{"key: set file or directory, and no other of them"}},
		"all of them":            {config.Secret{File: file, Env: "X", Directory: "/x", Credential: "y"}, []string{"key: set file or env or directory or credential"}},
		"no such file":           {config.Secret{File: file + "x"}, []string{"key.file: open " + file + "x: no such file", "name a file"}},
		"a blank variable":       {config.Secret{Env: "BLANK"}, []string{"key.env: the variable BLANK is empty or not set"}},
		"no such credential":     {config.Secret{Credential: "other"}, []string{"key.credential: open the credential other: no such file"}},
		"an empty credential":    {config.Secret{Credential: "empty"}, []string{"key.credential: the credential empty is empty: put the secret into it"}},
		"a credential elsewhere": {config.Secret{Credential: "../" + filepath.Base(file)}, []string{"key.credential: is no name of a credential", "LoadCredential="}},
		"the directory above":    {config.Secret{Credential: ".."}, []string{"is no name of a credential"}},
		"a directory as one":     {config.Secret{Credential: "directory"}, []string{"key.credential: open the credential directory: is a directory"}},
		"the secret itself":      {config.Secret{Credential: long}, []string{"a name that looks like a secret itself"}},
		"no such directory":      {config.Secret{Directory: file + "x"}, []string{"key.directory: open " + file + "x: no such file", "whose files each hold one secret"}},
		"a file as a directory":  {config.Secret{Directory: file}, []string{"key.directory: open " + file, "not a directory"}},
		"an empty directory":     {config.Secret{Directory: mounted(t, nil)}, []string{"holds no file: put each secret into a file of its own"}},
		"a directory in it":      {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "b": ""})}, []string{"key.directory: open ", "/b: is a directory"}},
		"an empty file in it":    {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "b": " "})}, []string{"/b is empty"}},
		"two, where one is used": {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "b": canary})}, []string{"holds 2 secrets, and one is used here: leave one file in it"}},
		"use names no file":      {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "use": "c"})}, []string{`the file "use" in `, "is to hold the name of another file there, and does not"}},
		"use names itself":       {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "use": "use"})}, []string{"is to hold the name of another file there"}},
		"use holds the secret":   {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "use": canary})}, []string{"is to hold the name of another file there"}},
		"use holds a path":       {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "use": "../a"})}, []string{"is to hold the name of another file there"}},
		"use is empty":           {config.Secret{Directory: mounted(t, map[string]string{"a": canary, "use": "\n"})}, []string{"/use is empty"}},
		"nothing but use":        {config.Secret{Directory: mounted(t, map[string]string{"use": "a"})}, []string{"is to hold the name of another file there"}},
	} {
		got, err := row.secret.Read("key")
		if row.says == nil && (err != nil || got != canary) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
		if row.says != nil && (err == nil || got != "") {
			t.Errorf("%s: %q, %v", name, got, err)
			continue
		}
		for _, says := range row.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: got %v, want %q", name, err, says)
			}
		}
		if err != nil && strings.Contains(err.Error(), canary) {
			t.Errorf("%s: the message quotes the secret: %v", name, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := (config.Secret{Credential: "token"}).Read("key"); err == nil || !strings.Contains(err.Error(), "key.credential: the variable CREDENTIALS_DIRECTORY is not set: systemd sets it") {
		t.Errorf("without systemd: %v", err)
	}
	if path := (config.Secret{Credential: "token"}).Path(); path != "" {
		t.Errorf("without systemd, the credential is at %q", path)
	}
}

// Messages say where a secret is.
func TestSourcesOfSecrets(t *testing.T) {
	for want, s := range map[string]config.Secret{
		"/etc/regain/keys": {Directory: "/etc/regain/keys"}, "the credential token": {Credential: "token"}, "the variable TOKEN": {Env: "TOKEN"}, "token.key": {File: "token.key"}, "nowhere": {},
	} {
		if got := s.Source(); got != want || s.IsZero() != (want == "nowhere") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
