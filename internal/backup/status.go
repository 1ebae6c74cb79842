package backup

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"

	"regain/storage"
	"regain/storage/mongo"
)

// Status is what a store holds. It names no record, and no credentials of the store.
type Status struct {
	Backend  string      `json:"backend"`
	Place    string      `json:"place"`
	Schema   *Schema     `json:"schema,omitempty"` // of a database
	Records  []Kind      `json:"records"`
	Counters []Kind      `json:"counters"`
	Bytes    int64       `json:"bytes_on_disk,omitempty"` // of everything; left out where the server does not say
	Free     *int64      `json:"bytes_free,omitempty"`    // file: of them in pages that are used before the file grows
	Server   string      `json:"server_version,omitempty"`
	Indexes  []IndexInfo `json:"indexes,omitempty"`
}

// Schema is the version of a database's schema.
type Schema struct {
	Version   int  `json:"version"`
	Known     int  `json:"known"`               // that of this program
	Current   bool `json:"current"`             // they are the same
	Importing bool `json:"importing,omitempty"` // an import is under way, or stopped: no node starts
}

// Kind is what there is of one kind.
type Kind struct {
	Kind    storage.Kind `json:"kind"`
	Count   int          `json:"count"`
	Bytes   int64        `json:"bytes"`   // of data, sealed
	Expired int          `json:"expired"` // of Count: over, and not yet swept
	Endless int          `json:"endless"` // of Count: without an end of life
	// FirstEnd and LastEnd are when the first and the last of those end that have an end and are not over.
	FirstEnd *time.Time `json:"first_end,omitempty"`
	LastEnd  *time.Time `json:"last_end,omitempty"`
}

// IndexInfo is an index of a database.
type IndexInfo struct {
	Collection string `json:"collection"`
	Name       string `json:"name"`
	State      string `json:"state"` // ok, missing, different or foreign
}

// Status looks at the store. It reads all of it, and changes nothing.
func (c Command) Status(ctx context.Context) (s Status, err error) {
	from, err := c.open(ctx)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	s = Status{Backend: c.Storage.Backend, Place: from.place}
	if err := s.add(ctx, from); err != nil {
		return s, err
	}
	records, counters := make(map[storage.Kind]*Kind), make(map[storage.Kind]*Kind)
	for e, err := range c.counted(from.Dump(ctx)) {
		if err != nil {
			return s, err
		}
		to := records
		if e.Counter {
			to = counters
		}
		if to[e.Kind] == nil {
			to[e.Kind] = &Kind{Kind: e.Kind}
		}
		to[e.Kind].add(e, c.Clock())
	}
	s.Records, s.Counters = sorted(records), sorted(counters)
	return s, nil
}

// add adds what only one backend has.
func (s *Status) add(ctx context.Context, from source) error {
	if from.file != nil {
		size, err := from.file.Size()
		s.Bytes, s.Free = size.Bytes, &size.FreeBytes
		return err
	}
	facts, err := from.database.Facts(ctx)
	if err != nil {
		return err
	}
	s.Schema = &Schema{Version: facts.Schema, Known: facts.Known, Current: facts.Schema == facts.Known, Importing: facts.Importing}
	s.Server, s.Bytes = facts.Server, facts.Bytes
	for _, i := range facts.Indexes {
		s.Indexes = append(s.Indexes, IndexInfo{i.Collection, i.Name, state(i)})
	}
	return nil
}

func state(i mongo.Index) string {
	switch {
	case i.Missing:
		return "missing"
	case i.Expected:
		return "ok"
	case i.Ours:
		return "different"
	}
	return "foreign"
}

func (k *Kind) add(e storage.Entry, now time.Time) {
	k.Count++
	k.Bytes += int64(len(e.Data))
	switch end := e.ExpiresAt; {
	case end.IsZero():
		k.Endless++
	case e.Expired(now):
		k.Expired++
	default:
		if k.FirstEnd == nil || end.Before(*k.FirstEnd) {
			k.FirstEnd = &end
		}
		if k.LastEnd == nil || end.After(*k.LastEnd) {
			k.LastEnd = &end
		}
	}
}

func sorted(kinds map[storage.Kind]*Kind) []Kind {
	list := make([]Kind, 0, len(kinds))
	for _, k := range kinds {
		list = append(list, *k)
	}
	slices.SortFunc(list, func(a, b Kind) int { return cmp.Compare(a.Kind, b.Kind) })
	return list
}

// JSON writes the status for programs.
func (s Status) JSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(s)
}

// Text writes the status for people.
func (s Status) Text(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "backend\t%s\nplace\t%s\n", s.Backend, s.Place)
	if s.Server != "" {
		fmt.Fprintf(w, "server\t%s\n", s.Server)
	}
	if s.Schema != nil {
		fmt.Fprintf(w, "schema\t%s\n", s.Schema)
	}
	if s.Bytes > 0 {
		fmt.Fprintf(w, "on disk\t%s\n", s.disk())
	}
	for _, i := range s.Indexes {
		fmt.Fprintf(w, "index\t%s of %s: %s\n", i.Name, i.Collection, i.State)
	}
	for _, table := range []struct {
		title string
		kinds []Kind
	}{{"RECORDS", s.Records}, {"COUNTERS", s.Counters}} {
		fmt.Fprintf(w, "\n%s\tCOUNT\tBYTES\tEXPIRED\tWITHOUT END\tFIRST END\tLAST END\n", table.title)
		for _, k := range table.kinds {
			fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\t%s\n", k.Kind, k.Count, k.Bytes, k.Expired, k.Endless, when(k.FirstEnd), when(k.LastEnd))
		}
	}
	return w.Flush()
}

func (s Schema) String() string {
	text := fmt.Sprintf("version %d", s.Version)
	switch {
	case s.Importing:
		return text + ", " + mongo.ErrImporting.Error()
	case s.Current:
		return text + ", which is this program's"
	case s.Version == 0:
		return "none yet: a node makes it at its start"
	}
	if s.Version > s.Known {
		return text + fmt.Sprintf(", which a newer program made; this one knows version %d", s.Known)
	}
	return text + ", which is not this program's: `regain storage migrate --dry-run`"
}

func (s Status) disk() string {
	text := fmt.Sprintf("%d bytes", s.Bytes)
	if s.Free != nil {
		text += fmt.Sprintf(", of them %d in free pages", *s.Free)
	}
	return text
}

func when(at *time.Time) string {
	if at == nil {
		return "-"
	}
	return at.UTC().Format(time.RFC3339)
}
