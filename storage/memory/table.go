package memory

import (
	"bytes"
	"strings"
	"time"

	"regain/storage"
)

// table holds the records of one kind.
type table struct {
	kind    storage.Kind
	entries map[string]*entry
	groups  map[string]map[string]struct{} // ids by group
}

func newTable(kind storage.Kind) *table {
	return &table{kind: kind, entries: make(map[string]*entry), groups: make(map[string]map[string]struct{})}
}

// entry is what is held of a record. There may be a million, so it is small: its id is the map's key, its kind the table's, and
// its end of life, as in package bolt, a number.
type entry struct {
	table   *table // nil once the record was removed
	id      string
	group   string
	version int64
	data    []byte
	ends    int64 // nanoseconds since 1970, or never
}

const never = 0

// add returns a new entry. It has an id of its own: that of the caller may be a few octets of a long text, which would be kept.
func (t *table) add(id string) *entry {
	id = strings.Clone(id)
	e := &entry{table: t, id: id}
	t.entries[id] = e
	return e
}

// set takes over all of a record but its kind and id.
func (e *entry) set(r storage.Record) {
	if e.group != r.Group {
		e.leave()
		e.join(strings.Clone(r.Group))
	}
	e.version, e.data, e.ends = r.Version, bytes.Clone(r.Data), never
	if !r.ExpiresAt.IsZero() {
		e.ends = r.ExpiresAt.UnixNano()
	}
}

// remove takes a record out of its table, and lets go of what it holds: its end of life keeps the entry until then.
func (e *entry) remove() {
	e.leave()
	delete(e.table.entries, e.id)
	*e = entry{}
}

func (e *entry) join(group string) {
	e.group = group
	if group == "" {
		return
	}
	if e.table.groups[group] == nil {
		e.table.groups[group] = make(map[string]struct{})
	}
	e.table.groups[group][e.id] = struct{}{}
}

func (e *entry) leave() {
	delete(e.table.groups[e.group], e.id)
	if len(e.table.groups[e.group]) == 0 {
		delete(e.table.groups, e.group)
	}
}

// record returns the record, with data that is the caller's.
func (e *entry) record() storage.Record {
	r := e.shown()
	r.Data = bytes.Clone(r.Data)
	return r
}

// shown returns the record with the store's own data, to look at.
func (e *entry) shown() storage.Record {
	r := storage.Record{Kind: e.table.kind, ID: e.id, Group: e.group, Version: e.version, Data: e.data}
	if e.ends != never {
		r.ExpiresAt = time.Unix(0, e.ends).UTC()
	}
	return r
}

func (e *entry) over(now time.Time) bool { return e.ends != never && e.ends <= now.UnixNano() }
