// Package mongo stores records in MongoDB (go.mongodb.org/mongo-driver/v2), for any number of nodes over one database.
//
//	records    one document a record, and one for some time after it was used up; _id is <kind>:<id>
//	counters   one document a counter; _id is <kind>:<id>
//	schema     one document: the version of the schema, and who migrates it
//
// Every change is of one document, by a command that changes it or does not. Writes wait for a majority, and its journals;
// reads are of the primary and show what a majority has. No decision hangs on a read alone: what was read is in the
// condition of the write that follows, so a read that is behind loses the write and is done again.
//
// # Ends of life
//
// Whether a record has expired is decided by the clock of the node that reads it. TTL indexes only clean up, an hour after
// the end, by the server's clock: the field holds the remaining life by the store's clock, added to the machine's. So a
// clock that is put forward makes no record go that is in use.
//
// # Lost answers
//
// When a connection breaks after a command was sent, nobody knows whether the server has carried it out, or is yet to do
// so. Each call therefore has a random operation id, which its commands leave in the document, and settles what became of
// an earlier command by repeating it in a form that can have its effect once:
//
//   - Create inserts. If the id is taken by a document with its own operation id, it was created by an earlier command of
//     this call. A document that is over is replaced under the condition that it is still the one that was read.
//   - Update is conditional on the version, and leaves its operation id at the new version's place in a ring of eight. If
//     the version has moved on, that place says whose update it was. If it has moved on by more than the ring, it is lost.
//   - Consume reads the record and makes it a tombstone under the condition that it is still that version of that record;
//     data and group go, the operation id stays. Whoever finds a tombstone with its own id is the one who consumed what it
//     read, and still has it. findOneAndDelete would lose the data together with the answer, and keeping them in the
//     tombstone would store what is used up.
//   - Delete makes a tombstone, too, of the record that it read and of none that comes later.
//   - Increment leaves its operation id in a ring of 32 and counts only where it is not in there. The place in the ring
//     tells what the count was.
//
// Tombstones stay for an hour at least, so that a Create that the server carries out late finds the id taken, by its own
// operation or by another: a record that was used up does not come back. The condition of an Update and of a Consume that
// come late no longer holds. What is left are an Increment that comes after 32 others, which counts one too many, and an
// Update or a command that comes late where an id was used up and created again at the same version meanwhile; ids that
// are used again have no updates.
//
// Commit makes a list without a transaction: in its order, each change as above, until one fails. What was made before it
// stays, and the error names it.
//
// Where a call cannot settle it (the database stays away, or a ring has forgotten), it returns [storage.ErrUncertain]. In
// all other cases an error means that nothing has changed, and will. A call goes on when its caller's context ends: it is
// settled within the configured time-out, and is not begun if the context has ended before.
//
// The driver repeats a write once by itself where the server is a replica set; the server then knows the repetition. That
// is not needed here and does no harm.
package mongo
