package verifiertest

import (
	"encoding/binary"
	"math"
	"slices"
	"testing"
)

// Map is a CBOR map that is not encoded yet. It keeps its order, and allows duplicate keys.
type Map struct{ pairs [][2]any }

// NewMap makes a map from alternating keys and values. Integers must be of type int.
func NewMap(keysAndValues ...any) *Map {
	m := new(Map)
	for i := 0; i+1 < len(keysAndValues); i += 2 {
		m.Add(keysAndValues[i], keysAndValues[i+1])
	}
	return m
}

// Add appends a key and its value, even if the key is there already.
func (m *Map) Add(key, value any) { m.pairs = append(m.pairs, [2]any{key, value}) }

// Get returns the value of a key, or nil.
func (m *Map) Get(key any) any {
	if i := m.find(key); i >= 0 {
		return m.pairs[i][1]
	}
	return nil
}

// At returns the value of a key, which must be a map.
func (m *Map) At(key any) *Map { return m.Get(key).(*Map) }

// Set replaces the value of a key, or adds the key.
func (m *Map) Set(key, value any) {
	if i := m.find(key); i >= 0 {
		m.pairs[i][1] = value
		return
	}
	m.Add(key, value)
}

// Delete removes a key.
func (m *Map) Delete(key any) {
	m.pairs = slices.DeleteFunc(m.pairs, func(p [2]any) bool { return p[0] == key })
}

func (m *Map) find(key any) int {
	return slices.IndexFunc(m.pairs, func(p [2]any) bool { return p[0] == key })
}

// Tag is a tagged item.
type Tag struct {
	Number  uint64
	Content any
}

// Raw is an encoded item, or arbitrary bytes in place of one.
type Raw []byte

// Embed wraps an item in a byte string with tag 24.
func Embed(t testing.TB, value any) Tag {
	t.Helper()
	return Tag{24, CBOR(t, value)}
}

// CBOR encodes an item with the shortest heads (RFC 8949 §4.1). It takes nil, bool, int, float64, string, []byte,
// []any, *Map, Tag and Raw.
func CBOR(t testing.TB, value any) []byte { //nolint:gosec // what is converted is not below zero
	t.Helper()
	switch v := value.(type) {
	case nil:
		return []byte{0xf6}
	case bool:
		if v {
			return []byte{0xf5}
		}
		return []byte{0xf4}
	case int:
		if v < 0 {
			return head(1, uint64(-1-v))
		}
		return head(0, uint64(v))
	case float64:
		return binary.BigEndian.AppendUint64([]byte{0xfb}, math.Float64bits(v))
	case []byte:
		return append(head(2, uint64(len(v))), v...)
	case string:
		return append(head(3, uint64(len(v))), v...)
	case []any:
		return join(t, head(4, uint64(len(v))), v...)
	case *Map:
		out := head(5, uint64(len(v.pairs)))
		for _, pair := range v.pairs {
			out = join(t, out, pair[:]...)
		}
		return out
	case Tag:
		return join(t, head(6, v.Number), v.Content)
	case Raw:
		return v
	}
	t.Fatalf("no CBOR for %T", value)
	return nil
}

func join(t testing.TB, out []byte, items ...any) []byte {
	t.Helper()
	for _, item := range items {
		out = append(out, CBOR(t, item)...)
	}
	return out
}

func head(major byte, argument uint64) []byte { //nolint:gosec // what is cut off is zeros
	first := major << 5
	switch {
	case argument < 24:
		return []byte{first | byte(argument)}
	case argument <= math.MaxUint8:
		return []byte{first | 24, byte(argument)}
	case argument <= math.MaxUint16:
		return binary.BigEndian.AppendUint16([]byte{first | 25}, uint16(argument))
	case argument <= math.MaxUint32:
		return binary.BigEndian.AppendUint32([]byte{first | 26}, uint32(argument))
	}
	return binary.BigEndian.AppendUint64([]byte{first | 27}, argument)
}
