// The connect window after success: its page in the CRM follows by itself.
// The pause lets a person read that it worked.
setTimeout(() => window.close(), 2500);
