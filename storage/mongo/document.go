package mongo

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"regain/storage"
)

// The fields of a document that conditions and updates name.
const (
	fieldKey       = "_id"
	fieldVersion   = "version"
	fieldData      = "data"
	fieldGroup     = "group" // <kind>:<group>
	fieldID        = "id"    // only with a group
	fieldEnds      = "ends"  // nanoseconds since 1970; 0 for a tombstone
	fieldSweep     = "sweep" // the TTL index
	fieldCreatedBy = "created_by"
	fieldUpdatedBy = "updated_by" // by the version's place in the ring
	fieldUsedUpBy  = "used_up_by" // tombstones only
	fieldSealedBy  = "sealed_by"  // the id of the encryption key: the beginning of data, which survey.go looks for

	fieldCount     = "count"
	fieldCountedBy = "counted_by" // the last operations of this window, oldest first
)

const (
	never = math.MaxInt64 // the end of what does not end
	// updatesKept and countsKept is how many operations back a lost answer can be told.
	updatesKept = 8
	countsKept  = 32
	// sweepAfter is how long what is over is kept, so that commands that are carried out late find it. It also is how far
	// the server's clock may be ahead before something goes early.
	sweepAfter = time.Hour
)

// document is a stored record.
type document struct {
	Key       string           `bson:"_id"`
	Version   int64            `bson:"version"`
	Data      []byte           `bson:"data,omitempty"`
	Group     string           `bson:"group,omitempty"`
	ID        string           `bson:"id,omitempty"`
	Ends      int64            `bson:"ends"`
	Sweep     time.Time        `bson:"sweep,omitempty"`
	CreatedBy int64            `bson:"created_by"`
	UpdatedBy map[string]int64 `bson:"updated_by,omitempty"`
	UsedUpBy  int64            `bson:"used_up_by,omitempty"`
	SealedBy  string           `bson:"sealed_by,omitempty"`
}

var errDamaged = errors.New("stored document is damaged: remove it")

// decode reads a document that the server answered with.
func decode[T any](raw bson.Raw, err error) (d T, _ error) {
	if err != nil {
		return d, err
	}
	if err := bson.Unmarshal(raw, &d); err != nil {
		return d, fmt.Errorf("%w: _id %s: %w", errDamaged, raw.Lookup(fieldKey), err)
	}
	return d, nil
}

// key joins a kind and an id or a group. The first colon ends the kind.
func key(kind storage.Kind, name string) string {
	return strings.NewReplacer("%", "%25", ":", "%3A").Replace(string(kind)) + ":" + name
}

func (s *Store) encode(r storage.Record, operation int64) document {
	d := document{Key: key(r.Kind, r.ID), Version: r.Version, Data: r.Data, Ends: ends(r), Sweep: s.sweep(r), CreatedBy: operation, SealedBy: sealedBy(r.Data)}
	if r.Group != "" {
		d.Group, d.ID = key(r.Kind, r.Group), r.ID
	}
	return d
}

func (d document) record(kind storage.Kind, id string) storage.Record {
	r := storage.Record{Kind: kind, ID: id, Version: d.Version, Data: d.Data}
	if d.Group != "" {
		r.Group = strings.TrimPrefix(d.Group, key(kind, ""))
	}
	if d.Ends != never {
		r.ExpiresAt = time.Unix(0, d.Ends).UTC()
	}
	return r
}

// ends is when a record ends.
func ends(r storage.Record) int64 {
	if r.ExpiresAt.IsZero() {
		return never
	}
	return r.ExpiresAt.UnixNano()
}

// over reports whether a document is expired or a tombstone.
func (d document) over(now time.Time) bool { return d.Ends <= now.UnixNano() }

// sweep is when the server removes a record; the zero time for never.
func (s *Store) sweep(r storage.Record) time.Time {
	if r.ExpiresAt.IsZero() {
		return time.Time{}
	}
	return s.sweepIn(r.ExpiresAt.Sub(s.clock()))
}

// sweepIn is when the server removes what is over in so long. The machine's clock is taken for the server's.
func (s *Store) sweepIn(life time.Duration) time.Time {
	return time.Now().Add(max(life, 0) + s.sweepAfter)
}

// place is where the operation that made a version is kept.
func place(version int64) string { return strconv.FormatInt(version%updatesKept, 10) }

// change is the update that stores a record at its next version.
func (s *Store) change(r storage.Record, operation int64) bson.D {
	next := r
	next.Version++
	d := s.encode(next, 0)
	set := bson.D{
		{Key: fieldVersion, Value: d.Version}, {Key: fieldData, Value: d.Data}, {Key: fieldEnds, Value: d.Ends},
		{Key: fieldUpdatedBy + "." + place(d.Version), Value: operation}, {Key: fieldSealedBy, Value: d.SealedBy},
	}
	var unset bson.D
	if d.Group == "" {
		unset = append(unset, bson.E{Key: fieldGroup, Value: ""}, bson.E{Key: fieldID, Value: ""})
	} else {
		set = append(set, bson.E{Key: fieldGroup, Value: d.Group}, bson.E{Key: fieldID, Value: d.ID})
	}
	if d.Sweep.IsZero() {
		unset = append(unset, bson.E{Key: fieldSweep, Value: ""})
	} else {
		set = append(set, bson.E{Key: fieldSweep, Value: d.Sweep})
	}
	if unset == nil { // an empty $unset is an error of old servers
		return bson.D{{Key: "$set", Value: set}}
	}
	return bson.D{{Key: "$set", Value: set}, {Key: "$unset", Value: unset}}
}

// bury is the update that makes a tombstone.
func (s *Store) bury(operation int64) bson.D {
	return bson.D{
		{Key: "$set", Value: bson.D{{Key: fieldEnds, Value: int64(0)}, {Key: fieldUsedUpBy, Value: operation}, {Key: fieldSweep, Value: s.sweepIn(0)}}},
		{Key: "$unset", Value: bson.D{{Key: fieldData, Value: ""}, {Key: fieldGroup, Value: ""}, {Key: fieldID, Value: ""}, {Key: fieldSealedBy, Value: ""}}},
	}
}
