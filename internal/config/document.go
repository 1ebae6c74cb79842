package config

import (
	"bytes"
	"errors"
	"io"

	"github.com/knadh/koanf/parsers/yaml"
	yamlv3 "go.yaml.in/yaml/v3"
)

// oneDocument parses YAML of one document. The parser passes over all that come after the first: an exclusion there would
// exclude nobody.
type oneDocument struct{ *yaml.YAML }

// Unmarshal implements koanf.Parser.
func (p oneDocument) Unmarshal(text []byte) (map[string]any, error) {
	decoder := yamlv3.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(new(yamlv3.Node)); err == nil && !errors.Is(decoder.Decode(new(yamlv3.Node)), io.EOF) {
		return nil, errors.New("there is a second document, after a line of ---: write all keys in one")
	}
	return p.YAML.Unmarshal(text)
}
