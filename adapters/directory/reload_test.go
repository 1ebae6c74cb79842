package directory_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regain/adapters/directory"
	"regain/recovery"
)

func TestAFileIsReadAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("accounts: [{name: ada@example.org}, {name: bo@example.org}]")
	f, err := directory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	found := func(name recovery.RequestedAccount) bool {
		_, err := f.Find(t.Context(), name)
		if err != nil && !errors.Is(err, recovery.ErrNotFound) {
			t.Fatal(err)
		}
		return err == nil
	}
	write("accounts: [{name: ada@example.org}]")
	if !found("bo@example.org") {
		t.Error("the file was read without being asked to")
	}
	if err := f.Reload(); err != nil || found("bo@example.org") || !found("ada@example.org") {
		t.Errorf("after one left: %v", err)
	}
	// A broken file is told, and changes nothing: not even what could be read of it.
	for text, says := range map[string]string{
		"accounts: [{name: bo@example.org}, {nam: x}]": "field nam not found",
		"accounts: [{name: bo@example.org}, {}]":       "name is missing",
		"accounts: {":                                  "parse",
	} {
		write(text)
		if err := f.Reload(); err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
		if !found("ada@example.org") || found("bo@example.org") {
			t.Errorf("%s: changed the accounts", text)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := f.Reload(); err == nil || !found("ada@example.org") {
		t.Errorf("without the file: %v", err)
	}
	if _, err := directory.OpenFile(path); err == nil {
		t.Error("a file that is not there was opened")
	}
}
