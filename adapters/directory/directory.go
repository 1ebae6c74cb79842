// Package directory implements recovery.Directory with a YAML file: for demos, tests, and organisations small enough to
// keep their accounts in one. It is read at the start, and again when it is told to; errors name the entry that is wrong.
//
//	accounts:
//	  - name: ada@example.org          # as the main IdP sends it; only the case of A to Z may differ
//	    id: 7f3a…                      # immutable; default: the name. A main IdP may send it in place of the name
//	    enabled: true                  # default true
//	    attributes: {given_name: Ada, family_name: Lindqvist}
//	    groups: [employees]
//	groups: [leavers]                  # groups that have no member now, so that excluding them is no mistake
//
// Letter case tells groups apart here. The domain excludes members in any letter case all the same.
package directory

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"regain/recovery"
)

// maxFile bounds the file's size. Larger organisations need a directory service.
const maxFile = 64 << 20

// Directory holds the accounts of one file.
type Directory struct {
	accounts map[string]recovery.Account   // key: AccountName.Exact
	byID     map[recovery.AccountID]string // id → exact name

	withoutID  int
	groups     map[recovery.GroupName]bool
	attributes map[recovery.AttributeName]bool
}

type document struct {
	Accounts []entry  `yaml:"accounts"`
	Groups   []string `yaml:"groups"`
}

// entry holds each value as it is written: yaml makes nothing of null, and `enabled:` would enable.
type entry struct {
	Name       yaml.Node `yaml:"name"`
	ID         yaml.Node `yaml:"id"`
	Enabled    yaml.Node `yaml:"enabled"`
	Attributes yaml.Node `yaml:"attributes"`
	Groups     yaml.Node `yaml:"groups"`
}

// Open reads and parses the file at path.
func Open(path string) (*Directory, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open directory: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read directory %s: %w", path, err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("directory %s: larger than %d MiB", path, maxFile>>20)
	}
	d, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("directory %s: %w", path, err)
	}
	return d, nil
}

// Parse reads the text of a directory file.
func Parse(text []byte) (*Directory, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	var doc document
	if err := decoder.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("parse: %w", err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) { // it would be passed over, with whoever it disables
		return nil, errors.New("parse: there is a second document, after a line of ---: put all accounts into one")
	}
	d := &Directory{
		accounts: make(map[string]recovery.Account, len(doc.Accounts)), byID: make(map[recovery.AccountID]string, len(doc.Accounts)),
		groups: make(map[recovery.GroupName]bool), attributes: make(map[recovery.AttributeName]bool),
	}
	for i, group := range doc.Groups {
		if group == "" {
			return nil, fmt.Errorf("groups[%d]: is an empty name", i)
		}
		d.groups[recovery.GroupName(group)] = true
	}
	for i, e := range doc.Accounts {
		account, err := e.account()
		if err != nil {
			return nil, fmt.Errorf("accounts[%d]: %w", i, err)
		}
		key := account.Name.Exact()
		if other, taken := d.accounts[key]; taken {
			return nil, fmt.Errorf("accounts[%d]: name %q is also that of account %q: names must differ in more than the case of A to Z", i, account.Name, other.Name)
		}
		d.accounts[key] = account
		if account.ID == recovery.AccountID(account.Name) {
			d.withoutID++
		}
		for _, group := range account.Groups {
			d.groups[group] = true
		}
		for attribute := range account.Attributes {
			d.attributes[attribute] = true
		}
	}
	for key, account := range d.accounts {
		if other, taken := d.accounts[recovery.AccountName(account.ID).Exact()]; taken && other.ID != account.ID || d.byID[account.ID] != "" {
			return nil, fmt.Errorf("id %q is the name or id of two accounts", account.ID)
		}
		d.byID[account.ID] = key
	}
	return d, nil
}

func (e entry) account() (recovery.Account, error) {
	var name, id string
	var enabled *bool
	var attributes map[string]*string
	var groups []*string
	for _, member := range []struct {
		key  string
		node yaml.Node
		into any
	}{{"name", e.Name, &name}, {"id", e.ID, &id}, {"enabled", e.Enabled, &enabled}, {"attributes", e.Attributes, &attributes}, {"groups", e.Groups, &groups}} {
		if err := decode(member.node, member.into); err != nil {
			return recovery.Account{}, fmt.Errorf("%s %w", member.key, err)
		}
	}
	if strings.TrimSpace(name) == "" {
		return recovery.Account{}, errors.New("name is missing")
	}
	a := recovery.Account{
		Name: recovery.AccountName(name), ID: recovery.AccountID(id), Enabled: enabled == nil || *enabled,
		Attributes: make(map[recovery.AttributeName]string, len(attributes)),
	}
	if a.ID == "" {
		a.ID = recovery.AccountID(name)
	}
	for attribute, value := range attributes {
		if value == nil {
			return recovery.Account{}, fmt.Errorf("attributes.%s %w", attribute, errNoValue)
		}
		a.Attributes[recovery.AttributeName(attribute)] = *value
	}
	for _, group := range groups {
		if group == nil || *group == "" {
			return recovery.Account{}, errors.New("groups holds an empty name")
		}
		a.Groups = append(a.Groups, recovery.GroupName(*group))
	}
	return a, nil
}

var errNoValue = errors.New("has no value: write one, or remove the key")

// decode reads a member, if it is there. One without a value is a mistake: as if it were not there it would enable the
// account, take it out of the groups that are excluded, or make its name its id.
func decode(node yaml.Node, into any) error {
	const null = "!!null"
	switch {
	case node.IsZero():
		return nil
	case node.ShortTag() == null:
		return errNoValue
	}
	return node.Decode(into)
}

// Find implements recovery.Directory. The case of A to Z in a name is ignored; an id must be equal.
func (d *Directory) Find(ctx context.Context, requested recovery.RequestedAccount) (recovery.Account, error) {
	if account, ok := d.accounts[recovery.AccountName(requested).Exact()]; ok {
		return account, nil
	}
	return d.FindByID(ctx, recovery.AccountID(requested))
}

// FindByID implements recovery.Directory.
func (d *Directory) FindByID(_ context.Context, id recovery.AccountID) (recovery.Account, error) {
	account, ok := d.accounts[d.byID[id]]
	if !ok {
		return recovery.Account{}, fmt.Errorf("account: %w", recovery.ErrNotFound)
	}
	return account, nil
}

// Groups implements recovery.DirectoryLister: the groups that have members, and those that the file lists.
func (d *Directory) Groups(context.Context) ([]recovery.GroupName, error) {
	return slices.Sorted(maps.Keys(d.groups)), nil
}

// Attributes implements recovery.DirectoryLister: the attributes that an account has.
func (d *Directory) Attributes(context.Context) ([]recovery.AttributeName, error) {
	return slices.Sorted(maps.Keys(d.attributes)), nil
}

// WithoutID returns how many accounts have no id of their own, so that it is their name.
func (d *Directory) WithoutID() int { return d.withoutID }

// Len returns the number of accounts.
func (d *Directory) Len() int { return len(d.accounts) }
