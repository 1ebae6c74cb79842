package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// render writes the file with all insertions but those of refused changes.
func (f *file) render(refused map[int]bool) string {
	type piece struct {
		at, order int
		text      string
	}
	var kept []insertion
	for _, in := range f.inserts {
		if !slices.ContainsFunc(in.ids, func(id int) bool { return refused[id] }) {
			kept = append(kept, in)
		}
	}
	// Wide ones open first and close last; what ends at a place closes before what begins there.
	slices.SortStableFunc(kept, func(a, b insertion) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(b.to, a.to))
	})
	var pieces []piece
	for i, in := range kept {
		pieces = append(pieces, piece{in.from, len(kept) + i, in.before}, piece{in.to, -i - 1, in.after})
	}
	slices.SortStableFunc(pieces, func(a, b piece) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.order, b.order)) })
	var out strings.Builder
	last := 0
	for _, p := range pieces {
		out.Write(f.text[last:p.at])
		out.WriteString(p.text)
		last = p.at
	}
	out.Write(f.text[last:])
	return out.String()
}

// render writes the file with this one change.
func (m *mutant) render() string {
	a := m.alone
	return string(m.file.text[:a.from]) + a.text + string(m.file.text[a.to:])
}

// chooser is the file that is added to the package: which change is chosen, and which are reached. What is reached is
// noted in a mapped file, one octet a change, and not in memory: there are tests that count allocations.
func chooser(pkg string) string {
	return fmt.Sprintf(`package %s

import (
	mutateOS "os"
	mutateStrconv "strconv"
	mutateSyscall "syscall"
)

var mutateID, mutateSeen = func() (int, []byte) {
	id, _ := mutateStrconv.Atoi(mutateOS.Getenv("MUTATE_ID"))
	record, err := mutateOS.OpenFile(mutateOS.Getenv("MUTATE_RECORD"), mutateOS.O_RDWR, 0)
	if err != nil {
		return id, nil
	}
	size, _ := mutateStrconv.Atoi(mutateOS.Getenv("MUTATE_COUNT"))
	seen, err := mutateSyscall.Mmap(int(record.Fd()), 0, size, mutateSyscall.PROT_READ|mutateSyscall.PROT_WRITE, mutateSyscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	return id, seen
}()

func %s(ids ...int) bool {
	for _, id := range ids {
		if mutateSeen != nil {
			mutateSeen[id] = 1
		}
		if id == mutateID {
			return true
		}
	}
	return false
}

func %s[T any](id int, becomes, is T) T {
	if %s(id) {
		return becomes
	}
	return is
}
`, pkg, chosen, replace, chosen)
}
