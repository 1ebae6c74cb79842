package testenv

import (
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

// bring merges the configuration that somebody brings into the test environment's own: what stands in mappings goes key by key,
// lists get longer, and everything else takes the place of what was there; who is trusted for a type joins who was before.
// Both files are YAML mappings.
func bring(path, brought string) error {
	base, err := readObject(path)
	if err != nil {
		return err
	}
	more, err := readObject(brought)
	if err != nil {
		return err
	}
	if entries, ok := more["trust"].([]any); ok {
		own, _ := base["trust"].([]any)
		joined, err := joinTrust(filepath.Dir(path), own, entries)
		if err != nil {
			return fmt.Errorf("%s: %w", brought, err)
		}
		base["trust"] = joined
		delete(more, "trust")
	}
	data, err := yaml.Marshal(merge(base, more))
	if err != nil {
		return fmt.Errorf("merge %s: %w", brought, err)
	}
	return os.WriteFile(path, data, 0o600)
}

func readObject(path string) (object, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var read object
	if err := yaml.Unmarshal(data, &read); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return read, nil
}

// merge returns what there is when more comes to base.
func merge(base, more any) any {
	switch base := base.(type) {
	case object:
		more, ok := more.(object)
		if !ok {
			break
		}
		for key, value := range more {
			if old, there := base[key]; there {
				value = merge(old, value)
			}
			base[key] = value
		}
		return base
	case []any:
		if more, ok := more.([]any); ok {
			return append(base, more...)
		}
	}
	return more
}
