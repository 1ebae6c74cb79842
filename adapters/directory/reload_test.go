package directory_test

import (
	"errors"
	"fmt"
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

// A file that is refused changes nobody's groups and brings nobody in, and keeps nobody in who left with it.
func TestARefusedFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`accounts: [{name: ada, id: A1, groups: [chiefs]}, {name: bo, id: B1}, {name: cy, id: C1}, {name: dee, id: D1, enabled: false}]`)
	f, err := directory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(`accounts: [{name: ada, id: A1}, {name: bo, id: B1, enabled: false}, {name: dee, id: D1}, {name: eve, id: E1}]`)
	mistake := errors.New("nobody is a chief")
	accept := func(read recovery.Directory) error {
		if account, err := read.Find(t.Context(), "eve"); err != nil || account.ID != "E1" {
			t.Errorf("asked about another file: %v", err)
		}
		return mistake
	}
	for range 2 { // as at each SIGHUP until it is mended
		if err := f.ReloadIf(accept); !errors.Is(err, mistake) || !strings.Contains(err.Error(), path) {
			t.Errorf("refused: %v", err)
		}
		for name, want := range map[recovery.RequestedAccount]string{
			"ada": "enabled [chiefs]", "A1": "enabled [chiefs]", "bo": "disabled []", "B1": "disabled []", "cy": "gone", "C1": "gone", "dee": "disabled []", "eve": "gone", "E1": "gone",
		} {
			for how, find := range map[string]func() (recovery.Account, error){
				"found":       func() (recovery.Account, error) { return f.Find(t.Context(), name) },
				"found by id": func() (recovery.Account, error) { return f.FindByID(t.Context(), recovery.AccountID(name)) },
			} {
				account, err := find()
				got := fmt.Sprint(map[bool]string{true: "enabled ", false: "disabled "}[account.Enabled], account.Groups)
				if errors.Is(err, recovery.ErrNotFound) {
					got = "gone"
				}
				if by := how == "found by id" && strings.ToLower(string(name)) == string(name); !by && got != want || by && got != "gone" { // a name is no id
					t.Errorf("%s %s: %s, want %s", name, how, got, want)
				}
			}
		}
	}
	if err := f.Reload(); err != nil {
		t.Fatal(err)
	}
	if account, err := f.Find(t.Context(), "eve"); err != nil || !account.Enabled {
		t.Errorf("once the file is taken: %v", err)
	}
	if account, err := f.Find(t.Context(), "ada"); err != nil || len(account.Groups) != 0 {
		t.Errorf("once the file is taken: %v, %v", account.Groups, err)
	}
}

// A name that a refused file gives to somebody else is nobody's until the file is mended: the main IdP may mean either of them
// by it. Another case of A to Z is no other name.
func TestARefusedFileThatGivesANameToSomebodyElse(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`accounts: [{name: ada, id: A1}, {name: bo, id: B1}, {name: Cy, id: C1}]`)
	f, err := directory.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	write(`accounts: [{name: ada.lindqvist, id: A1}, {name: ada, id: A2}, {name: bo, id: B1}, {name: cy, id: C1}]`)
	mistake := errors.New("not this one")
	if err := f.ReloadIf(func(recovery.Directory) error { return mistake }); !errors.Is(err, mistake) {
		t.Fatalf("refused: %v", err)
	}
	for name, want := range map[recovery.RequestedAccount]recovery.AccountID{"ada": "", "A1": "", "ada.lindqvist": "", "A2": "", "bo": "B1", "B1": "B1", "CY": "C1", "C1": "C1"} {
		account, err := f.Find(t.Context(), name)
		if account.ID != want || (err == nil) != (want != "") || err != nil && !errors.Is(err, recovery.ErrNotFound) {
			t.Errorf("%s: %q, want %q: %v", name, account.ID, want, err)
		}
	}
	if account, err := f.FindByID(t.Context(), "A1"); !errors.Is(err, recovery.ErrNotFound) {
		t.Errorf("by the id: %q, %v", account.Name, err)
	}
	if err := f.Reload(); err != nil {
		t.Fatal(err)
	}
	if account, err := f.Find(t.Context(), "ada"); err != nil || account.ID != "A2" {
		t.Errorf("once the file is taken: %q, %v", account.ID, err)
	}
}

// A file that could not be opened, and is refused when it can be, has no accounts.
func TestARefusedFirstFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "directory.yaml")
	f, err := directory.OpenFile(path)
	if err == nil {
		t.Fatal("opened nothing")
	}
	if err := os.WriteFile(path, []byte("accounts: [{name: ada}]"), 0o600); err != nil {
		t.Fatal(err)
	}
	mistake := errors.New("not this one")
	if err := f.ReloadIf(func(recovery.Directory) error { return mistake }); !errors.Is(err, mistake) {
		t.Errorf("refused: %v", err)
	}
	if err := f.Reload(); err != nil || f.Current().Len() != 1 {
		t.Errorf("taken: %v", err)
	}
}
