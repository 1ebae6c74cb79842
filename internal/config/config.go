// Package config reads one YAML file, lets REGAIN_ environment variables and then flags override it, and decodes the
// result strictly: an unknown key is an error that stops the start and suggests the nearest known key.
//
// The keys are not defined here but by the `koanf` tags of internal/node's Config and of the structs in it
// (internal/node/config.go), beside the wiring that reads them, so that a key and its effect change together. This
// package decodes any struct. docs/configuration.md explains each key.
package config

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/go-viper/mapstructure/v2"
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
		if err := k.Load(file.Provider(src.File), yaml.Parser()); err != nil {
			return fmt.Errorf("read configuration %s: %w", src.File, err)
		}
	}
	if src.Environ != nil {
		provider := env.Provider(".", env.Opt{Prefix: EnvPrefix, TransformFunc: envKey, EnvironFunc: src.Environ})
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

func envKey(name, value string) (string, any) {
	key := strings.ToLower(strings.TrimPrefix(name, EnvPrefix))
	return strings.ReplaceAll(key, "__", "."), value
}

func decode(raw map[string]any, out any, renamed map[string]string) error {
	var meta mapstructure.Metadata
	decoder, err := mapstructure.NewDecoder(&mapstructure.DecoderConfig{
		Result: out, TagName: "koanf", Metadata: &meta, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			mapstructure.StringToTimeDurationHookFunc(), mapstructure.StringToSliceHookFunc(",")),
		MatchName: func(key, field string) bool { return key == field },
	})
	if err != nil {
		return fmt.Errorf("prepare decoder: %w", err)
	}
	if err := decoder.Decode(raw); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if len(meta.Unused) == 0 {
		return nil
	}
	known := keysOf(reflect.TypeOf(out), "")
	slices.Sort(meta.Unused)
	problems := make([]error, 0, len(meta.Unused))
	for _, key := range meta.Unused {
		if now, ok := renamed[withoutIndexes(key)]; ok {
			problems = append(problems, fmt.Errorf("configuration: the key %s is now %s", key, now))
			continue
		}
		problems = append(problems, unknownKey(key, known))
	}
	return errors.Join(problems...)
}

func unknownKey(key string, known []string) error {
	best := Nearest(withoutIndexes(key), known)
	if best == "" {
		return fmt.Errorf("configuration: unknown key %s: remove it, or see docs/configuration.md for the keys that exist", key)
	}
	return fmt.Errorf("configuration: unknown key %s: did you mean %s?", key, best)
}

// Secret refers to a secret by file or by environment variable. The configuration never contains the secret itself.
type Secret struct {
	File string `koanf:"file"`
	Env  string `koanf:"env"`
}

// IsZero reports whether the secret is not configured.
func (s Secret) IsZero() bool { return s.File == "" && s.Env == "" }

// Read returns the secret without surrounding white space. key is the configuration key, for errors.
func (s Secret) Read(key string) (string, error) {
	switch {
	case s.File != "" && s.Env != "":
		return "", fmt.Errorf("%s: set either file or env, not both", key)
	case s.File != "":
		data, err := os.ReadFile(s.File)
		if err != nil {
			return "", fmt.Errorf("%s.file: %w", key, err)
		}
		return strings.TrimSpace(string(data)), nil
	case s.Env != "":
		value := os.Getenv(s.Env)
		if value == "" {
			return "", fmt.Errorf("%s.env: the variable %s is empty or not set", key, s.Env)
		}
		return strings.TrimSpace(value), nil
	}
	return "", fmt.Errorf("%s: set %s.file to a file that contains it, or %s.env to the name of a variable", key, key, key)
}
