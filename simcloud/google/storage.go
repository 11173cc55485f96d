package google

// readSession is one session of the Storage Read API.
type readSession struct{ job *job }
