package config

import (
	"fmt"
	"reflect"
	"strings"
)

// Reference is a file or a variable that a configuration names.
type Reference struct {
	Key    string // "clients[0].secret" for a secret, "tls.key_file" for a file
	Secret Secret // zero for a file that holds none
	Path   string // of the file, or of the directory of a secret; "" for a secret in a variable
	// Private is whether it holds a secret or a private key.
	Private bool
}

// Paths are all the files that it is read from, and the directory that they are in.
func (r Reference) Paths() []string {
	if r.Path == "" {
		return nil
	}
	if paths := r.Secret.Paths(); len(paths) > 0 {
		return paths
	}
	return []string{r.Path}
}

// References lists what a configuration, a struct with `koanf` tags, names: every Secret, and every file, whose key is
// "file" or ends with "_file". Nothing is left out by being forgotten in a list.
func References(cfg any) []Reference { return references(reflect.ValueOf(cfg), "") }

func references(v reflect.Value, path string) (found []Reference) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			found = references(v.Elem(), path)
		}
	case reflect.Slice:
		for i := range v.Len() {
			found = append(found, references(v.Index(i), fmt.Sprintf("%s[%d]", path, i))...)
		}
	case reflect.Struct:
		if secret, ok := v.Interface().(Secret); ok {
			if secret.IsZero() {
				return nil
			}
			return []Reference{{Key: path, Secret: secret, Path: secret.Path(), Private: true}}
		}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("koanf"), ",")
			if name == "" {
				continue
			}
			key := name
			if path != "" {
				key = path + "." + name
			}
			if field := v.Field(i); field.Kind() == reflect.String && (name == "file" || strings.HasSuffix(name, "_file")) && field.String() != "" {
				found = append(found, Reference{Key: key, Path: field.String(), Private: name == "key_file"})
				continue
			}
			found = append(found, references(v.Field(i), key)...)
		}
	}
	return found
}
