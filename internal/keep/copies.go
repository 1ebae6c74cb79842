package keep

import (
	"context"
	"io"
	"log/slog"
	"sync"

	"regain/internal/holder"
	"regain/storage"
)

// CopyPipe is the name of the pipe through which `regain backup` gets a copy of the file store at path from the node that
// runs on it.
func CopyPipe(path string) string { return path + ".copy-pipe" }

// copies writes copies of the file store while the node runs, for `regain backup`: nobody else can read a file whose lock the
// node holds.
type copies struct {
	store  io.WriterTo
	pipe   string
	logger *slog.Logger
	ctx    context.Context //nolint:containedctx // ends when the node is closed
	stop   context.CancelFunc
	mu     sync.Mutex // held while a copy is written
	ended  sync.WaitGroup
}

// offerCopies has copies of the store written when somebody asks for them, if it is a file.
func (k *Kept) offerCopies(path string, backend storage.Store) {
	file, ok := backend.(io.WriterTo)
	if !ok {
		return
	}
	c := &copies{store: file, pipe: CopyPipe(path), logger: k.deps.Logger}
	c.ctx, c.stop = context.WithCancel(context.Background())
	k.copies = c
	k.closers = append(k.closers, c) // before the store is closed, which waits for whoever reads it
}

// Copy writes a copy of the store to whoever asks for one, and does not wait for it.
func (k *Kept) Copy() { k.copies.answer() }

func (c *copies) answer() {
	if c == nil || !c.mu.TryLock() { // a copy is being written, and whoever asked for another one may ask again
		return
	}
	c.ended.Go(func() {
		defer c.mu.Unlock()
		var octets int64
		asked, err := holder.Send(c.ctx, c.pipe, func(out io.Writer) (err error) {
			octets, err = c.store.WriteTo(out)
			return err
		})
		switch {
		case err != nil:
			c.logger.Error("a copy of the store was asked for and not written", "pipe", c.pipe, "octets", octets, "cause", err)
		case asked:
			c.logger.Info("a copy of the store was written", "pipe", c.pipe, "octets", octets)
		}
	})
}

// Close ends a copy that is being written.
func (c *copies) Close() error {
	c.stop()
	c.ended.Wait()
	return nil
}
