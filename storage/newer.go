package storage

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/fxamacker/cbor/v2"
)

// During a roll-out nodes of two versions share a store, and the older one reads what the newer one wrote. What it does not
// know of a record it keeps and writes back, and where it must not, the newer one says so.

// ErrNewer means that a record has something that an older program must not pass over.
var ErrNewer = errors.New("the record was written by a newer version of Regain, and cannot be used by this one: finish the roll-out")

// critical is how the name of a member begins that a program which does not know it must not pass over: the record is refused
// (compare crit, RFC 7515 §4.1.11).
const critical = "!"

// Newer are the members of a record that this version does not know, by their names, each encoded. Members of members are not
// among them: those are lost when an older version writes the record back.
type Newer map[string][]byte

// Kept is embedded by the data of a record that is read, changed and written back. Encode and Decode keep in it what this
// version does not know.
type Kept struct{ newer Newer }

func (k *Kept) keep(n Newer) { k.newer = n }
func (k Kept) kept() Newer   { return k.newer }

// DecodeNewer decodes the data of a record into value, a pointer to a struct, and returns the members that it does not have.
func DecodeNewer(data []byte, value any) (Newer, error) {
	m, err := modes()
	if err == nil {
		err = m.strict.Unmarshal(data, value)
	}
	var unknown *cbor.UnknownFieldError
	if !errors.As(err, &unknown) {
		return nil, decoded(err)
	}
	var members map[string]cbor.RawMessage
	if err := errors.Join(m.dec.Unmarshal(data, value), m.dec.Unmarshal(data, &members)); err != nil {
		return nil, decoded(err)
	}
	for _, f := range reflect.VisibleFields(reflect.TypeOf(value).Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		delete(members, name)
	}
	newer := make(Newer, len(members))
	for name, member := range members {
		if strings.HasPrefix(name, critical) {
			return nil, fmt.Errorf("decode record: member %q: %w", name, ErrNewer)
		}
		newer[name] = member
	}
	return newer, nil
}

func decoded(err error) error {
	if err != nil {
		return fmt.Errorf("decode record: %w", err)
	}
	return nil
}

// EncodeNewer encodes a value as Encode does, with what DecodeNewer returned.
func EncodeNewer(value any, newer Newer) ([]byte, error) {
	m, err := modes()
	var data []byte
	if err == nil {
		data, err = m.enc.Marshal(value)
	}
	if err == nil && len(newer) > 0 {
		data, err = m.with(data, newer)
	}
	if err != nil {
		return nil, fmt.Errorf("encode record: %w", err)
	}
	return data, nil
}

// with adds members to the encoding of a struct.
func (m encodingModes) with(data []byte, newer Newer) ([]byte, error) {
	var members map[string]cbor.RawMessage
	if err := m.dec.Unmarshal(data, &members); err != nil {
		return nil, err
	}
	for name, member := range newer {
		if _, ours := members[name]; !ours {
			members[name] = member
		}
	}
	return m.enc.Marshal(members)
}
