import { Component, type ReactNode } from "react";

interface FailurePageProps {
  children: ReactNode;
}

/** Stands in for a page that cannot be shown, instead of nothing at all. */
export class FailurePage extends Component<FailurePageProps, { hasFailed: boolean }> {
  override state = { hasFailed: false };

  static getDerivedStateFromError() {
    return { hasFailed: true };
  }

  override render() {
    if (!this.state.hasFailed) return this.props.children;
    return (
      <main className="sign-in">
        <div className="sign-in-card">
          <h1>This page cannot be shown</h1>
          <p className="quiet">What you have saved is safe. Reload to go on.</p>
          <form>
            <button
              type="button"
              className="button primary"
              onClick={() => {
                window.location.reload();
              }}
            >
              Reload
            </button>
          </form>
        </div>
      </main>
    );
  }
}
