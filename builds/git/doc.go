// Package git is the only place of mintmark that runs git. The one other git
// process is that of the go command, which asks it for the version stamp in the
// private checkout that this package makes.
//
// # Nothing of anybody runs
//
// Git starts programs that configurations and attributes name: hooks, filters,
// textconv, fsmonitor, external diffs, pagers, signature checkers, credential
// helpers, upload packs, whole transports. Whoever gives somebody a repository
// as an archive, or a directory on a shared disk, writes its .git/config. A list
// of what to turn off would never be complete, since the names of filters and
// drivers are free. So no git command that could start something reads a
// configuration of others at all:
//
//   - A repository is asked three questions where it lies ([Git.Find],
//     [Git.Borrow]): where its parts are, what its refs are, and which settings
//     there are. The commands for that (rev-parse, show-ref, config) start
//     nothing, and every transport is forbidden to them, so that they cannot
//     fetch missing objects either.
//   - Everything else runs in a git directory of our own, over the other's
//     objects, with a configuration written here ([Repo]). Of the user's settings
//     it has those of [data], which say how a work tree is compared and name no
//     program. Without a definition of it, git takes a filter for none.
//   - Private checkouts get links to the object files, not a git clone
//     ([Repo.Checkout]), so no upload-pack runs in the other's directory, and no
//     link that lies among the objects is followed.
//   - What lies in a work tree's submodules is not looked at: their
//     configurations would count.
//
// # What remains
//
// Only fetching from an address ([Git.Source]) reads the user's own
// configuration, because it needs it: url.*.insteadOf, http.*, credential
// helpers, core.sshCommand and the ssh it names. Hooks, templates, filters,
// fsmonitor and remote helpers other than those of http, https, ssh and git's own
// protocol are off there too. The repository that is fetched has no say in any
// of it. What was fetched is then used like any other repository.
//
// # Exceptions
//
// In the user's own repository objects are trusted to have the hashes they are
// stored under. In one that is named as a source they are not: git names what it
// fetches by its content, and what lies in a directory is packed and named anew
// ([Repo.Adopt]). Tags are refs, which nothing holds: they are what the repository says.
//
// Git's commit-graph files are not read: they may say something else of a
// commit than the commit does.
package git
