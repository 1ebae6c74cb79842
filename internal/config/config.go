// Package config holds what an administrator writes. It reads one YAML file, lets REGAIN_ environment variables and then
// flags override it, and decodes the result strictly: an unknown key is an error that stops the start and suggests the
// nearest known key. docs/configuration.md explains each key.
//
//	Config       every key, with its `koanf` tag (schema.go, profiles.go, clients.go)
//	Defaults     the configuration before any file, variable or flag
//	Load         decodes the sources into any struct of such tags
//	Validate     reports the mistakes that what is written has by itself
//	References   lists the files and secrets that a configuration names
//	Development  completes an empty configuration, for a first look
//
// No file that a configuration names is read here, but a Secret by whoever needs it: what the keys mean is decided in
// internal/plan, and what they open is opened in internal/node. A new key is a field here, a sentence in
// docs/configuration.md, and its use in one of these.
package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/yaml"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"
)

// EnvPrefix is the prefix of the variables that override a key: REGAIN_STORAGE__BACKEND is storage.backend.
const EnvPrefix = "REGAIN_"

// Source lists the sources of the configuration. Flags override the environment, which overrides the file.
type Source struct {
	File    string // "" for none
	Environ func() []string
	Flags   *pflag.FlagSet // only flags that were set count; may be nil
	FlagKey func(name string) string
	Renamed map[string]string // keys of earlier versions, and their replacement
}

// Load decodes the configuration into out, a pointer to a struct with `koanf` tags that already holds the defaults.
func Load(src Source, out any) error {
	k := koanf.New(".")
	if src.File != "" {
		if err := k.Load(file.Provider(src.File), oneDocument{yaml.Parser()}); err != nil {
			return fmt.Errorf("read configuration %s: %w", src.File, err)
		}
	}
	if src.Environ != nil {
		named := variables(k.Raw())
		overrides := func() []string {
			return slices.DeleteFunc(slices.Clone(src.Environ()), func(variable string) bool {
				name, _, _ := strings.Cut(variable, "=")
				return slices.Contains(named, name)
			})
		}
		provider := env.Provider(".", env.Opt{Prefix: EnvPrefix, TransformFunc: envKey, EnvironFunc: overrides})
		if err := k.Load(provider, nil); err != nil {
			return fmt.Errorf("read environment: %w", err)
		}
	}
	if src.Flags != nil {
		provider := posflag.ProviderWithFlag(src.Flags, ".", nil, func(f *pflag.Flag) (string, any) {
			if !f.Changed || src.FlagKey(f.Name) == "" {
				return "", nil
			}
			return src.FlagKey(f.Name), posflag.FlagVal(src.Flags, f)
		})
		if err := k.Load(provider, nil); err != nil {
			return fmt.Errorf("read flags: %w", err)
		}
	}
	return decode(k.Raw(), out, src.Renamed)
}

// variables returns the variables that secrets of the file are in. One whose name begins like those that override keys,
// such as REGAIN_PASS_KEY, overrides none.
func variables(node any) (names []string) {
	switch node := node.(type) {
	case map[string]any:
		for key, value := range node {
			if name, ok := value.(string); ok && key == "env" {
				names = append(names, name)
				continue
			}
			names = append(names, variables(value)...)
		}
	case []any:
		for _, value := range node {
			names = append(names, variables(value)...)
		}
	}
	return names
}

func envKey(name, value string) (string, any) {
	key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
	return strings.ReplaceAll(key, "__", "."), value
}
