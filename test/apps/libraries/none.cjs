/** An app that talks to nothing. */
module.exports = () => ({});
