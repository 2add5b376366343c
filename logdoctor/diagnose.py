from logdoctor.diagnosis import Diagnosis, Report, Unread  # moved; to be removed

__all__ = ["Diagnosis", "Report", "Unread"]
