package presentation

import (
	"encoding/json"
	"strconv"
)

// object writes a JSON object member by member. It is faster than encoding/json, which matters because a request object
// is made for every fetch: most members are texts that need no escaping, or are JSON already.
type object struct {
	b   []byte
	err error
}

func newObject(size int) *object { return &object{b: append(make([]byte, 0, size), '{')} }

func (o *object) name(name string) {
	if len(o.b) > 1 {
		o.b = append(o.b, ',')
	}
	o.b = append(append(append(o.b, '"'), name...), '"', ':')
}

// unescaped writes a text that needs no escaping: base64url or a constant.
func (o *object) unescaped(name, value string) {
	o.name(name)
	o.b = append(append(append(o.b, '"'), value...), '"')
}

// text writes a text from outside and escapes it.
func (o *object) text(name, value string) { o.value(name, value) }

func (o *object) number(name string, value int64) {
	o.name(name)
	o.b = strconv.AppendInt(o.b, value, 10)
}

func (o *object) raw(name string, value []byte) {
	o.name(name)
	o.b = append(o.b, value...)
}

// optional writes a value that is JSON already, and nothing if it is nil.
func (o *object) optional(name string, value []byte) {
	if value != nil {
		o.raw(name, value)
	}
}

func (o *object) value(name string, value any) {
	raw, err := json.Marshal(value)
	if err != nil && o.err == nil {
		o.err = err
	}
	o.raw(name, raw)
}

func (o *object) close() ([]byte, error) { return append(o.b, '}'), o.err }
